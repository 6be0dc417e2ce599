using System.Collections.Concurrent;
using System.Net.Sockets;
using Orchestrator.Transport.Sockets;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>The connections of one client to a coordinator's local transport: idle ones are used again.</summary>
/// <param name="connect">Makes a connection for a receiver; null if there is no place for another one.</param>
internal sealed class LocalConnections(Func<IFrameReceiver, FrameConnection?> connect) : IDisposable
{
    private const int MaxIdle = 16;

    private readonly ConcurrentBag<LocalClientConnection> _idle = [];
    private int _idleCount;
    private volatile bool _isDisposed;

    /// <summary>Those to a socket.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="most">The most connections that the coordinator grants one process.</param>
    public static LocalConnections To(string path, int most) => new(new LocalSocketConnector(path, most).Connect);

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
        }

        return LocalClientConnection.Create(this, connect);
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
        if (_isDisposed)
            Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryTake(out var idle))
            idle.Dispose();
    }
}
