namespace Orchestrator.Transport.Sockets;

/// <summary>What a thread of a <see cref="SocketPoller"/> does.</summary>
internal sealed class PollerThread
{
    private long _handled;
    private long _before = -1;

    /// <summary>The socket that it handles; null while it waits.</summary>
    public volatile IPolledSocket? Socket;

    public void Begin(IPolledSocket socket)
    {
        Volatile.Write(ref _handled, _handled + 1);
        Socket = socket;
    }

    public void End() => Socket = null;

    /// <summary>Whether it handles what it handled at the last call.</summary>
    public bool IsSameAsBefore()
    {
        var handled = Volatile.Read(ref _handled);
        var isSame = handled == _before;
        _before = handled;
        return isSame;
    }
}
