using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>The connections of one client to a coordinator's local transport: idle ones are used again.</summary>
/// <param name="path">The socket.</param>
internal sealed class LocalConnections(string path) : IDisposable
{
    private const int MaxIdle = 16;

    // For the process: its threads wait for the connections of all clients.
    private static readonly Lazy<SocketPoller> Poller = new(() => new SocketPoller("orchestrator", threads: 1, TimeProvider.System));

    private readonly ConcurrentBag<LocalClientConnection> _idle = [];
    private int _idleCount;
    private volatile bool _isDisposed;

    /// <summary>A connection for one call.</summary>
    /// <exception cref="SocketException">The coordinator does not answer.</exception>
    public LocalClientConnection Rent()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        while (_idle.TryTake(out var idle))
        {
            Interlocked.Decrement(ref _idleCount);
            if (!idle.IsClosed)
                return idle;
            idle.Dispose();
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        var handle = UnixSockets.Duplicate(socket.SafeHandle);
        return new LocalClientConnection(this, handle, Poller.Value);
    }

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
