using System.Diagnostics;

namespace Orchestrator.Transport.Sockets;

/// <summary>What a thread of a <see cref="SocketPoller"/> does.</summary>
internal sealed class PollerThread
{
    private static readonly TimeSpan ShortestHold = TimeSpan.FromMilliseconds(0.5);

    private long _handled;
    private long _before = -1;
    private long _processorTime;
    private long _lookedAt;
    private volatile int _id;

    /// <summary>The socket that it handles; null while it waits.</summary>
    public volatile IPolledSocket? Socket;

    /// <summary>Called by the thread itself, before it handles anything.</summary>
    public void Enter() => _id = UnixSockets.gettid();

    public void Begin(IPolledSocket socket)
    {
        Volatile.Write(ref _handled, _handled + 1);
        Socket = socket;
    }

    public void End() => Socket = null;

    /// <summary>
    /// Whether it handles what it handled at the last look, and has run for half of the time since then or sleeps. One that only waits for
    /// a processor is not held up by what it handles: another thread in its place would wait with it, and dozens of them for seconds.
    /// </summary>
    public bool IsHeldUp()
    {
        var now = Stopwatch.GetTimestamp();
        var elapsed = Stopwatch.GetElapsedTime(_lookedAt, now);
        // Where processors are few, looks come late and then close together.
        if (Socket is null || elapsed < ShortestHold)
            return false;
        var handled = Volatile.Read(ref _handled);
        var isSame = handled == _before;
        _before = handled;
        var time = UnixSockets.ProcessorTime(_id);
        var hasRun = TimeSpan.FromMicroseconds((time - _processorTime) / 1_000) > elapsed / 2;
        (_processorTime, _lookedAt) = (time, now);
        return isSame && (hasRun || !IsRunnable());
    }

    private bool IsRunnable()
    {
        try
        {
            // proc(5): the state follows the name, which is in parentheses and may hold any character.
            var stat = File.ReadAllBytes($"/proc/self/task/{_id}/stat").AsSpan();
            return stat[(stat.LastIndexOf((byte)')') + 1)..].StartsWith(" R"u8);
        }
        catch (IOException)
        {
            // Out of file descriptors, or no such file system: another thread too many is the smaller fault.
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
