using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>The connections of one client to a coordinator's local transport: idle ones are used again.</summary>
/// <param name="path">The socket.</param>
/// <param name="most">The most connections that the coordinator grants one process.</param>
internal sealed class LocalConnections(string path, int most) : IDisposable
{
    private const int MaxIdle = 16;

    // Of all clients of this process: together they are one to the coordinator.
    private static int s_open;

    // For the process: its threads wait for the connections of all clients.
    private static readonly Lazy<SocketPoller> Poller = new(() => new SocketPoller("orchestrator", threads: 1, TimeProvider.System));

    private readonly ConcurrentBag<LocalClientConnection> _idle = [];
    private int _idleCount;
    private volatile bool _isDisposed;

    /// <summary>A connection for one call; null if this process has as many as it may have.</summary>
    /// <exception cref="SocketException">The coordinator does not answer.</exception>
    /// <exception cref="IOException">This process is out of file descriptors.</exception>
    public LocalClientConnection? Rent()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        while (_idle.TryTake(out var idle))
        {
            Interlocked.Decrement(ref _idleCount);
            if (!idle.IsClosed)
                return idle;
            idle.Dispose();
        }

        if (Interlocked.Increment(ref s_open) > most)
        {
            OnClosed();
            return null;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new LocalClientConnection(this, UnixSockets.Duplicate(socket.SafeHandle), Poller.Value);
        }
        catch
        {
            OnClosed();
            throw;
        }
    }

    /// <summary>A connection has been closed.</summary>
    public static void OnClosed() => Interlocked.Decrement(ref s_open);

    /// <summary>Takes back a connection whose call has ended with a status.</summary>
    public void Return(LocalClientConnection connection)
    {
        if (_isDisposed || Interlocked.Increment(ref _idleCount) > MaxIdle)
        {
            Interlocked.Decrement(ref _idleCount);
            connection.Dispose();
            return;
        }

        _idle.Add(connection);
        if (!_isDisposed)
            return;
        while (_idle.TryTake(out var left))
            left.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryTake(out var idle))
            idle.Dispose();
    }
}
