using Google.Protobuf;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution.Lanes;

/// <summary>
/// Runs many attempts at once. One pump starts each attempt until its first await, and sends the ended ones in batches. If a handler blocks
/// the pump's thread instead of awaiting, a watchdog notices the missing progress within a millisecond and pumps in its place: so a handler
/// that blocks delays no other attempt, and one that awaits costs no second thread. (A second pump woken for every batch, as a thread pool
/// would, spent half of a one-core worker's time on switching between the two.)
/// </summary>
internal sealed class AsyncLane : ILane, IThreadPoolWorkItem
{
    // Well below the maximum of a message; results should be sent while the rest of a long batch runs.
    private const int FlushEvery = 256;

    private readonly LaneServices _services;
    private readonly Lock _gate = new();
    private readonly Queue<TaskContext> _queue = new();
    private readonly LaneWatchdog _guard;
    private Action? _onHeld;
    private int _free;
    private int _requested;
    private int _pumping;
    private int _progress;

    public AsyncLane(LaneServices services, int slots)
    {
        _services = services;
        _free = slots;
        _guard = new LaneWatchdog(() => Volatile.Read(ref _pumping) > 0 ? Volatile.Read(ref _progress) : LaneWatchdog.AtRest, OnStalled);
    }

    public void Enqueue(ReadOnlySpan<TaskContext> attempts, bool deferred)
    {
        lock (_gate)
        {
            foreach (var attempt in attempts)
                _queue.Enqueue(attempt);
        }

        if (!deferred)
            RequestPump();
    }

    public void RunInline(Action? onStalled)
    {
        _onHeld = onStalled;
        Pump();
        // Unless another thread, which ours has called in, has set its own by now.
        Interlocked.CompareExchange(ref _onHeld, null, onStalled);
    }

    public void Stop() => _guard.Stop();

    void IThreadPoolWorkItem.Execute()
    {
        // Cleared before the queue is read: a thread that adds later requests a pump of its own.
        Interlocked.Exchange(ref _requested, 0);
        Pump();
    }

    private void RequestPump()
    {
        if (Interlocked.Exchange(ref _requested, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Pump()
    {
        var clean = ExecutionContext.Capture();
        var hasSlot = false;
        var unsent = 0;
        Interlocked.Increment(ref _pumping);
        while (TryTake(hasSlot, out var attempt, out var more))
        {
            hasSlot = true;
            if (!_services.Runner.Begin(attempt))
                continue;

            // Unsent results count as remaining work: the watchdog sends them if this thread is held up.
            if (more || unsent > 0 || _onHeld is not null)
                _guard.Wake();
            // Both the start and the end of user code are steps: a second pump that is held up too is noticed as well.
            Interlocked.Increment(ref _progress);
            hasSlot = StartOne(attempt);
            Interlocked.Increment(ref _progress);
            if (hasSlot && ++unsent == FlushEvery)
            {
                unsent = 0;
                _services.ResultWriter.Flush(busy: false);
            }

            if (clean is not null)
                ExecutionContext.Restore(clean);
        }

        Interlocked.Decrement(ref _pumping);
        // Even if this pump has sent nothing itself: it may replace one that is held up.
        _services.ResultWriter.Flush(busy: false);
    }

    private void OnStalled()
    {
        Interlocked.Exchange(ref _onHeld, null)?.Invoke();
        // Not on the watchdog's own thread, which has to watch the next pump too.
        RequestPump();
    }

    /// <summary>Takes the next attempt into the slot of the last one, or into a free one.</summary>
    private bool TryTake(bool hasSlot, out TaskContext attempt, out bool more)
    {
        lock (_gate)
        {
            if (hasSlot)
                _free++;
            if (_free == 0 || !_queue.TryDequeue(out attempt!))
            {
                attempt = null!;
                more = false;
                return false;
            }

            _free--;
            more = _free > 0 && _queue.Count > 0;
            return true;
        }
    }

    /// <summary>True if the attempt has already ended; its slot then belongs to the caller again.</summary>
    private bool StartOne(TaskContext attempt)
    {
        ValueTask<ByteString> call;
        try
        {
            call = AttemptRunner.Invoke(attempt);
            if (call.IsCompleted)
            {
                _services.Runner.Succeed(attempt, call.GetAwaiter().GetResult(), exclusive: true);
                return true;
            }
        }
        catch (Exception e)
        {
            // Any exception of a handler is the task's failure, not the worker's.
            _services.Runner.Fail(attempt, e, exclusive: true);
            return true;
        }

        _ = FinishAsync(attempt, call);
        return false;
    }

    private async Task FinishAsync(TaskContext attempt, ValueTask<ByteString> call)
    {
        try
        {
            _services.Runner.Succeed(attempt, await call.ConfigureAwait(false), exclusive: false);
        }
        catch (Exception e)
        {
            _services.Runner.Fail(attempt, e, exclusive: false);
        }

        // This may be the handler's own thread, inside the code that completed its last await: start no other attempt's code here.
        if (Release())
            RequestPump();
        _services.ResultWriter.Flush(busy: false);
    }

    private bool Release()
    {
        lock (_gate)
        {
            _free++;
            return _queue.Count > 0;
        }
    }
}
