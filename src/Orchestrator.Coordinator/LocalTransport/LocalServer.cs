using System.Net.Sockets;
using System.Runtime.InteropServices;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>Serves the local transport on a Unix socket.</summary>
internal sealed partial class LocalServer : IPolledSocket, IDisposable
{
    private const int Backlog = 512;

    // One process gets a quarter of the places, so that none keeps the others out.
    private const int PeerShare = 4;

    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(10);
    // As long as gRPC waits for its calls.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly CallGate _gate;
    private readonly LocalMethodTable _methods;
    private readonly SecurityInstruments _instruments;
    private readonly IncompleteMessageLimits _incoming;
    private readonly Lock _lock = new();
    private readonly HashSet<LocalConnection> _connections = [];
    private readonly Dictionary<int, LocalPeer> _peers = [];
    private readonly int _places;
    private readonly ILogger _log;
    private readonly PeriodicCheck _timer;
    private Socket? _listener;
    private SafeFileHandle? _handle;
    private ulong _key;
    private long _peerNumber;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _unaryCalls;
    private volatile bool _isDisposed;

    /// <param name="gate">Admits calls.</param>
    /// <param name="methods">The methods.</param>
    /// <param name="incoming">Counts incomplete messages.</param>
    /// <param name="instruments">Counts refused peers.</param>
    /// <param name="time">For deadlines and limits.</param>
    /// <param name="places">The most connections at once.</param>
    /// <param name="log">For handlers that fail by a fault of their own.</param>
    public LocalServer(
        CallGate gate, LocalMethodTable methods, IncompleteMessageLimits incoming, SecurityInstruments instruments, TimeProvider time,
        int places, ILogger<LocalServer> log)
    {
        (_gate, _methods, _incoming, _instruments, Time, _places, _log) = (gate, methods, incoming, instruments, time, places, log);
        Poller = new SocketPoller("local", Math.Clamp(Environment.ProcessorCount, 2, 8), time);
        _timer = new PeriodicCheck(time, CheckInterval, OnCheck, log);
    }

    /// <summary>Waits for its sockets.</summary>
    public SocketPoller Poller { get; }

    /// <summary>The most connections of one process.</summary>
    public int MaxConnectionsOfProcess => Math.Max(1, _places / PeerShare);

    /// <summary>The time.</summary>
    public TimeProvider Time { get; }

    /// <summary>Listens.</summary>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public void Start(string path)
    {
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen(Backlog);
            _listener.Blocking = false;
        }
        catch (SocketException exception)
        {
            throw new IOException($"cannot listen on {path}: {exception.Message}", exception);
        }

        _handle = new SafeFileHandle(_listener.Handle, ownsHandle: false);
        _key = Poller.Add(this, _handle);
        Listen();
    }

    /// <inheritdoc/>
    public void OnReady(uint events)
    {
        while (!_isDisposed)
        {
            var accepted = UnixSockets.Accept(_handle!);
            if (accepted >= 0)
            {
                Accept(new SafeFileHandle(accepted, ownsHandle: true));
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error is UnixSockets.Interrupted or UnixSockets.ConnectionAborted)
                continue;
            // Out of descriptors, listening at once would only fail again and again: the next check listens.
            if (error == UnixSockets.WouldBlock)
                Listen();
            return;
        }
    }

    /// <inheritdoc/>
    public void OnFault(Exception fault)
    {
        LogConnectionFault(_log, fault);
        Listen();
    }

    /// <inheritdoc/>
    public void OnHeldUp()
    {
    }

    /// <summary>Decides on a call.</summary>
    public (LocalMethod? Method, CachedAuthentication? Caller, RpcException? Refusal) Admit(LocalConnection connection, LocalCallHead head)
    {
        var method = _methods.Find(head.Method);
        try
        {
            var caller = method is not null && AccessRules.IsOpen(head.Method)
                ? null : _gate.Admit(new LocalCallOrigin(head.Authorization, connection), method?.Name);
            return method is null
                ? (null, caller, new RpcException(new Status(StatusCode.Unimplemented, $"there is no method {head.Method}")))
                : (method, caller, null);
        }
        catch (RpcException refusal)
        {
            return (null, null, refusal);
        }
    }

    /// <summary>The largest message in bytes.</summary>
    public int MessageBytes => _incoming.MessageBytes;

    /// <summary>The error for a message that is not read.</summary>
    public RpcException TooLarge(uint length) => _incoming.TooLarge(length);

    /// <summary>Counts what a connection holds of an incomplete message.</summary>
    /// <exception cref="RpcException">There is no room for it.</exception>
    public void Hold(LocalConnection connection, int before, int now)
    {
        _incoming.Hold(connection.Cache, now - before);
        if (before == 0)
            _incoming.Add(connection);
        else if (now == 0)
            _incoming.Remove(connection);
    }

    /// <summary>A handler has failed by a fault of its own.</summary>
    public void ReportFault(string method, Exception fault) => LogFault(_log, method, fault);

    /// <summary>The code of a connection has failed.</summary>
    public void ReportFault(Exception fault) => LogConnectionFault(_log, fault);

    /// <summary>The current time stamp.</summary>
    public long Now => _incoming.Now;

    /// <summary>A connection is closed.</summary>
    public void Remove(LocalConnection connection)
    {
        lock (_lock)
        {
            if (!_connections.Remove(connection) || --connection.Peer.Connections > 0)
                return;
            _peers.Remove(connection.Peer.Process.Pid);
        }
    }

    /// <summary>A call has been admitted.</summary>
    public void OnCallBegun(LocalCall call)
    {
        if (call.Invocation is { IsUnary: true })
            Interlocked.Increment(ref _unaryCalls);
    }

    /// <summary>A call has ended.</summary>
    public void OnCallEnded(LocalCall call)
    {
        if (call.Invocation is { IsUnary: true } && Interlocked.Decrement(ref _unaryCalls) == 0 && _isDisposed)
            _idle.TrySetResult();
    }

    /// <summary>Takes no more connections, lets calls with one answer have it within a moment, and closes everything.</summary>
    public async Task StopAsync()
    {
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
        }

        if (Volatile.Read(ref _unaryCalls) > 0)
            await _idle.Task.WaitAsync(StopLimit, Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            _isDisposed = true;
        Close();
    }

    private void Close()
    {
        LocalConnection[] left;
        lock (_lock)
            left = [.. _connections];
        _timer.Dispose();
        foreach (var connection in left)
            connection.Abort();
        Poller.Dispose();
        _listener?.Dispose();
    }

    /// <summary>Connects this process; null if the coordinator has ended.</summary>
    public FrameConnection? Connect(IFrameReceiver client)
    {
        if (Open(PeerProcess.Current, isLimited: false) is not { } connection)
            return null;
        var (own, other) = FramePair.Create(connection, client);
        connection.Start(own);
        return other;
    }

    private void Accept(SafeFileHandle socket)
    {
        if (PeerProcess.Find(socket) is not { } process)
        {
            _instruments.Refused(RefusalCause.OtherUser);
            socket.Dispose();
        }
        else if (Open(process, isLimited: true) is { } connection)
        {
            connection.Start(new FrameSocket(socket, Poller, connection));
        }
        else
        {
            socket.Dispose();
        }
    }

    private LocalConnection? Open(PeerProcess process, bool isLimited)
    {
        lock (_lock)
        {
            _peers.TryGetValue(process.Pid, out var peer);
            if (_isDisposed || (isLimited && (_connections.Count >= _places || peer?.Connections >= MaxConnectionsOfProcess)))
                return null;
            if (peer is null)
                _peers[process.Pid] = peer = new LocalPeer(process, ++_peerNumber);
            peer.Connections++;
            var connection = new LocalConnection(this, peer);
            _connections.Add(connection);
            return connection;
        }
    }

    private void Listen()
    {
        if (!_isDisposed && _handle is { } handle)
            Poller.Arm(handle, _key, UnixSockets.PollInput);
    }

    private void OnCheck()
    {
        List<LocalConnection>? late = null;
        lock (_lock)
        {
            foreach (var connection in _connections)
            {
                if (!connection.Cache.IsAuthenticated && Time.GetElapsedTime(connection.Since) > OpenLimit)
                    (late ??= []).Add(connection);
            }
        }

        late?.ForEach(connection => connection.Abort());
        Listen();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A call of {Method} over the local transport failed")]
    private static partial void LogFault(ILogger log, string method, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "A connection of the local transport failed")]
    private static partial void LogConnectionFault(ILogger log, Exception fault);
}
