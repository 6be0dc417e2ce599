using Google.Protobuf;

namespace Orchestrator.Worker;

/// <summary>
/// Runs many attempts at once. A pump starts each until its first await. Before it runs user code while more remains, it
/// sees to it that another pump is queued to the thread pool: so a handler that blocks its thread delays nobody, and an idle
/// worker pays for one thread only. The pool's own queue works in the same way.
/// </summary>
internal sealed class AsyncLane(LaneServices services, int slots) : ILane, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskContext> _queue = new();
    private int _free = slots;
    private int _requested;

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

    public void RunDeferred() => Pump();

    public void Stop()
    {
    }

    void IThreadPoolWorkItem.Execute()
    {
        // Cleared before the queue is looked at: whoever adds later requests a pump of its own.
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
        var unsent = false;
        while (TryTake(hasSlot, out var attempt, out var more))
        {
            hasSlot = true;
            if (!services.Runner.Begin(attempt))
                continue;

            // Unsent results count as work that remains: the next pump sends them should this thread be held up.
            if (more || unsent)
                RequestPump();
            hasSlot = StartOne(attempt);
            unsent |= hasSlot;
            if (clean is not null)
                ExecutionContext.Restore(clean);
        }

        // Also when this pump has sent nothing itself: it may stand in for one that is held up.
        services.Sink.Flush(busy: false);
    }

    /// <summary>Takes the next attempt into the slot that the last one has left, or into a free one.</summary>
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

    /// <summary>True if the attempt has ended already; its slot is the caller's again then.</summary>
    private bool StartOne(TaskContext attempt)
    {
        ValueTask<ByteString> call;
        try
        {
            call = AttemptRunner.Invoke(attempt);
            if (!call.IsCompleted)
            {
                _ = FinishAsync(attempt, call);
                return false;
            }

            services.Runner.Succeed(attempt, call.GetAwaiter().GetResult(), exclusive: true);
        }
        catch (Exception e)
        {
            // Whatever a handler throws is the task's failure, not the worker's.
            services.Runner.Fail(attempt, e, exclusive: true);
        }

        return true;
    }

    private async Task FinishAsync(TaskContext attempt, ValueTask<ByteString> call)
    {
        try
        {
            services.Runner.Succeed(attempt, await call.ConfigureAwait(false), exclusive: false);
        }
        catch (Exception e)
        {
            services.Runner.Fail(attempt, e, exclusive: false);
        }

        // This may be the handler's own thread, inside whatever completed its last await: start nobody else's code here.
        if (Release())
            RequestPump();
        services.Sink.Flush(busy: false);
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
