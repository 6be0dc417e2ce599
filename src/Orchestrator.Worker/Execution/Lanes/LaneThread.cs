using Google.Protobuf;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution.Lanes;

/// <summary>
/// One thread of a lane, and its synchronization context: the continuations of an asynchronous handler run here, and while it awaits, the
/// thread starts nothing else.
/// </summary>
internal sealed class LaneThread : SynchronizationContext
{
    private readonly ThreadLane _lane;
    private readonly Thread _thread;
    private readonly object _gate = new();
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _posted = new();
    private bool _signalled;
    private bool _ended;

    public LaneThread(ThreadLane lane, string name)
    {
        _lane = lane;
        _thread = new Thread(Loop) { IsBackground = true, Name = name };
    }

    public void Start() => _thread.UnsafeStart();

    public void Signal()
    {
        lock (_gate)
        {
            _signalled = true;
            Monitor.Pulse(_gate);
        }
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_gate)
        {
            if (!_ended)
            {
                _posted.Enqueue((d, state));
                Monitor.Pulse(_gate);
                return;
            }
        }

        // Posted by a task that ended before this thread did.
        ThreadPool.UnsafeQueueUserWorkItem(static item => item.d(item.state), (d, state), preferLocal: false);
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (Thread.CurrentThread == _thread)
            d(state);
        else
            throw new NotSupportedException("A lane's thread takes posted work only; waiting for it could wait for ever.");
    }

    public override SynchronizationContext CreateCopy() => this;

    private void Loop()
    {
        SetSynchronizationContext(this);
        var clean = ExecutionContext.Capture();
        while (true)
        {
            RunPosted();
            var attempt = _lane.Take(this, out var stopped);
            if (attempt is not null)
            {
                if (_lane.Services.Runner.Begin(attempt))
                    Run(attempt);
                // A handler's AsyncLocals must not reach the next task.
                if (clean is not null)
                    ExecutionContext.Restore(clean);
                SetSynchronizationContext(this);
                // Results are sent before the next task, which may take any time; if there is a next task, through another thread.
                _lane.Services.ResultWriter.Flush(busy: _lane.HasMore);
            }
            else if (stopped || !AwaitWork())
            {
                break;
            }
        }

        lock (_gate)
            _ended = true;
        RunPosted();
    }

    private void Run(TaskContext attempt)
    {
        var runner = _lane.Services.Runner;
        try
        {
            var call = AttemptRunner.Invoke(attempt);
            ByteString output;
            if (call.IsCompleted)
            {
                output = call.GetAwaiter().GetResult();
            }
            else
            {
                var task = call.AsTask();
                PumpUntil(task);
#pragma warning disable VSTHRD002 // It has ended.
                output = task.GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
            }

            runner.Succeed(attempt, output, exclusive: true);
        }
        catch (Exception e)
        {
            // Any exception of a handler is the task's failure, not the worker's.
            runner.Fail(attempt, e, exclusive: true);
        }
    }

    private void PumpUntil(Task task)
    {
        task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(Signal);
        while (!task.IsCompleted)
        {
            RunPosted();
            lock (_gate)
            {
                while (!_signalled && _posted.Count == 0)
                    Monitor.Wait(_gate);
                _signalled = false;
            }
        }
    }

    /// <summary>Waits on the idle list. False when the thread is to end.</summary>
    private bool AwaitWork()
    {
        lock (_gate)
        {
            var inTime = true;
            while (!_signalled && _posted.Count == 0 && inTime)
                inTime = Monitor.Wait(_gate, _lane.IdleTimeout);
            if (_signalled || _posted.Count > 0)
            {
                _signalled = false;
                return true;
            }
        }

        return !_lane.TryRetire(this);
    }

    private void RunPosted()
    {
        while (true)
        {
            (SendOrPostCallback Callback, object? State) item;
            lock (_gate)
            {
                if (!_posted.TryDequeue(out item))
                    return;
            }

            try
            {
                item.Callback(item.State);
            }
            catch (Exception e)
            {
                // An async void handler or a raw Post: it belongs to no task any more, and must not end the lane.
                Console.Error.WriteLine($"worker: work posted to {_thread.Name} failed: {ExceptionText.Describe(e)}");
            }
        }
    }
}
