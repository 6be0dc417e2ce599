using System.Net.Sockets;
using System.Runtime.InteropServices;
using Grpc.Core;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>Serves the local transport on a Unix socket.</summary>
internal sealed unsafe class LocalServer : PolledSocket, IDisposable
{
    private const int Backlog = 512;

    private static readonly TimeSpan OpenLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    private readonly CallGate _gate;
    private readonly LocalMethodTable _methods;
    private readonly SecurityInstruments _instruments;
    private readonly IncompleteMessageLimits _incoming;
    private readonly Lock _lock = new();
    private readonly HashSet<LocalConnection> _connections = [];
    private readonly Dictionary<int, LocalPeer> _peers = [];
    private readonly int _places;
    private readonly ITimer _timer;
    private Socket? _listener;
    private ulong _key;
    private long _peerNumber;
    private bool _isDisposed;

    /// <param name="gate">Admits calls.</param>
    /// <param name="methods">The methods.</param>
    /// <param name="incoming">Counts incomplete messages.</param>
    /// <param name="instruments">Counts refused peers.</param>
    /// <param name="time">For deadlines and limits.</param>
    /// <param name="places">The most connections at once.</param>
    public LocalServer(
        CallGate gate, LocalMethodTable methods, IncompleteMessageLimits incoming, SecurityInstruments instruments, TimeProvider time,
        int places)
    {
        (_gate, _methods, _incoming, _instruments, Time, _places) = (gate, methods, incoming, instruments, time, places);
        Poller = new SocketPoller("local", Math.Clamp(Environment.ProcessorCount, 2, 8), time);
        _timer = time.CreateTimer(_ => CloseStrangers(), null, CheckInterval, CheckInterval);
    }

    /// <summary>Waits for its sockets.</summary>
    public SocketPoller Poller { get; }

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
        }
        catch (SocketException exception)
        {
            throw new IOException($"cannot listen on {path}: {exception.Message}", exception);
        }

        var handle = new SafeFileHandle(_listener.Handle, ownsHandle: false);
        _key = Poller.Add(this, handle);
        Poller.Arm(handle, _key, UnixSockets.PollInput);
    }

    /// <inheritdoc/>
    public override void OnReady(uint events)
    {
        while (!_isDisposed)
        {
            var accepted = UnixSockets.accept4(_listener!.Handle, null, null, UnixSockets.CloseOnExec | UnixSockets.NonBlocking);
            if (accepted < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error is UnixSockets.Interrupted or UnixSockets.ConnectionAborted)
                    continue;
                break;
            }

            Accept(new SafeFileHandle(accepted, ownsHandle: true));
        }

        if (!_isDisposed)
            Poller.Arm(new SafeFileHandle(_listener!.Handle, ownsHandle: false), _key, UnixSockets.PollInput);
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

    /// <inheritdoc/>
    public void Dispose()
    {
        LocalConnection[] left;
        lock (_lock)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            left = [.. _connections];
        }

        _timer.Dispose();
        foreach (var connection in left)
            connection.Dispose();
        Poller.Dispose();
        _listener?.Dispose();
    }

    private void Accept(SafeFileHandle socket)
    {
        if (PeerProcess.Find(socket) is not { } process)
        {
            _instruments.Refused();
            socket.Dispose();
            return;
        }

        LocalConnection? connection = null;
        lock (_lock)
        {
            if (_connections.Count < _places && !_isDisposed)
            {
                if (!_peers.TryGetValue(process.Pid, out var peer))
                    _peers[process.Pid] = peer = new LocalPeer(process, ++_peerNumber);
                peer.Connections++;
                _connections.Add(connection = new LocalConnection(this, peer, socket));
            }
        }

        if (connection is null)
            socket.Dispose();
        else
            connection.Start();
    }

    private void CloseStrangers()
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

        late?.ForEach(connection => connection.Dispose());
    }
}
