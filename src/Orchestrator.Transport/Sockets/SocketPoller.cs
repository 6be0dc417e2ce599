using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Transport.Sockets;

/// <summary>
/// Waits for many sockets with few threads. A thread that finds a socket ready handles it itself, so that a message wakes only the thread
/// that handles it, and the others go on waiting for the rest. A socket whose handler has held its thread for a millisecond is told so, and
/// another thread is started where none is left: so neither other sockets nor the next message wait behind user code for longer.
/// </summary>
internal sealed unsafe class SocketPoller : IDisposable
{
    private const int MaxThreads = 256;
    private const ulong StopKey = 0;

    private static readonly TimeSpan HeldUpLimit = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<ulong, IPolledSocket> _sockets = new();
    private readonly SafeFileHandle _epoll;
    private readonly SafeFileHandle _stop;
    private readonly string _name;
    private readonly int _minThreads;
    private readonly ITimer _watch;
    private ulong _lastKey = StopKey;
    private int _threads;
    private int _waiting;
    private int _isWatched;
    private readonly Lock _gate = new();
    private readonly List<PollerThread> _pollerThreads = [];
    private volatile bool _isStopped;

    [ThreadStatic]
    private static bool s_isOwnThread;

    /// <param name="name">Of its threads.</param>
    /// <param name="threads">The number of threads that it keeps.</param>
    /// <param name="time">For the watch on held-up threads.</param>
    /// <exception cref="IOException">Out of file descriptors.</exception>
    public SocketPoller(string name, int threads, TimeProvider time)
    {
        _name = name;
        _minThreads = threads;
        _epoll = Own(UnixSockets.epoll_create1(UnixSockets.EpollCloseOnExec));
        _stop = Own(UnixSockets.eventfd(0, UnixSockets.EventCloseOnExec));
        Control(UnixSockets.EpollAdd, _stop, UnixSockets.PollInput, StopKey);
        _watch = time.CreateTimer(_ => OnWatch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        for (var i = 0; i < threads; i++)
            StartThread();
    }

    /// <summary>Whether this thread is a poller's, which is watched while it handles a socket.</summary>
    public static bool IsOnOwnThread => s_isOwnThread;

    /// <summary>Registers a socket, which is not yet waited for.</summary>
    /// <returns>Its key.</returns>
    public ulong Add(IPolledSocket socket, SafeFileHandle handle)
    {
        var key = Interlocked.Increment(ref _lastKey);
        _sockets[key] = socket;
        Control(UnixSockets.EpollAdd, handle, UnixSockets.EpollOneShot, key);
        return key;
    }

    /// <summary>Waits once for these events of a socket, or its end in both directions.</summary>
    public void Arm(SafeFileHandle handle, ulong key, uint events) =>
        Control(UnixSockets.EpollModify, handle, events | UnixSockets.EpollOneShot, key);

    /// <summary>A socket that is about to be closed.</summary>
    public void Remove(ulong key) => _sockets.TryRemove(key, out _);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isStopped)
            return;
        _isStopped = true;
        ulong one = 1;
        // Never read: it stays ready and ends thread after thread.
        _ = UnixSockets.write(_stop, &one, sizeof(ulong));
        _watch.Dispose();
    }

    private static SafeFileHandle Own(int descriptor) => descriptor >= 0
        ? new SafeFileHandle(descriptor, ownsHandle: true)
        : throw new IOException($"cannot wait for sockets: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    private void Control(int operation, SafeFileHandle handle, uint events, ulong key)
    {
        var wanted = new EpollEvent { Events = events, Key = key };
        if (UnixSockets.epoll_ctl(_epoll, operation, handle, &wanted) != 0)
            throw new IOException($"cannot wait for a socket: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    private void StartThread()
    {
        var thread = new PollerThread();
        lock (_gate)
            _pollerThreads.Add(thread);
        var number = Interlocked.Increment(ref _threads);
        Interlocked.Increment(ref _waiting);
        new Thread(() => Run(thread)) { IsBackground = true, Name = $"{_name} {number}" }.UnsafeStart();
    }

    private void Run(PollerThread thread)
    {
        s_isOwnThread = true;
        thread.Enter();
        EpollEvent ready = default;
        while (!_isStopped)
        {
            var isExtra = Volatile.Read(ref _threads) > _minThreads;
            // One at a time: a second event would wait behind the first while other threads are idle.
            var count = UnixSockets.epoll_wait(_epoll, &ready, 1, isExtra ? (int)IdleLimit.TotalMilliseconds : -1);
            if (count == 0 && TryLeave(thread))
                return;
            if (count <= 0 || ready.Key == StopKey || !_sockets.TryGetValue(ready.Key, out var socket))
                continue;
            Interlocked.Decrement(ref _waiting);
            thread.Begin(socket);
            // A timer that is already set is not moved: that would cost as much as the message.
            if (Volatile.Read(ref _isWatched) == 0 && Interlocked.Exchange(ref _isWatched, 1) == 0)
                _watch.Change(HeldUpLimit, Timeout.InfiniteTimeSpan);
            try
            {
                socket.OnReady(ready.Events);
            }
            catch (Exception exception)
            {
                // A fault of one socket's handler must not end the process.
                socket.OnFault(exception);
            }
            finally
            {
                thread.End();
                Interlocked.Increment(ref _waiting);
            }
        }
    }

    private bool TryLeave(PollerThread thread)
    {
        lock (_gate)
        {
            if (_threads <= _minThreads)
                return false;
            _pollerThreads.Remove(thread);
            Interlocked.Decrement(ref _threads);
            Interlocked.Decrement(ref _waiting);
            return true;
        }
    }

    // An exception in a timer's callback would end the process.
    private static void TellHeldUp(IPolledSocket socket)
    {
        try
        {
            socket.OnHeldUp();
        }
        catch (Exception exception)
        {
            socket.OnFault(exception);
        }
    }

    private void OnWatch()
    {
        Volatile.Write(ref _isWatched, 0);
        List<IPolledSocket>? heldUp = null;
        var isBusy = false;
        lock (_gate)
        {
            foreach (var thread in _pollerThreads)
            {
                isBusy |= thread.Socket is not null;
                if (thread.IsHeldUp() && thread.Socket is { } socket)
                    (heldUp ??= []).Add(socket);
            }
        }

        if (_isStopped)
            return;
        if (heldUp is not null && Volatile.Read(ref _waiting) == 0 && Volatile.Read(ref _threads) < MaxThreads)
            StartThread();
        foreach (var socket in heldUp ?? [])
            TellHeldUp(socket);
        if (isBusy && Interlocked.Exchange(ref _isWatched, 1) == 0)
            _watch.Change(HeldUpLimit, Timeout.InfiniteTimeSpan);
    }
}
