using Orchestrator.Contracts.Passthrough;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;
using TaskState = Orchestrator.Core.Tasks.TaskState;

namespace Orchestrator.Coordinator.Services;

/// <summary>One WaitTasks call: counts ends until its mode is satisfied.</summary>
internal sealed class TaskWait : TaskListener
{
    private readonly TaskCompletionSource _satisfied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WaitMode _mode;
    private int _pending;
    private bool _isSatisfied;

    public TaskWait(WaitMode mode, int tasks)
    {
        EndsOnly = true;
        _mode = mode;
        _pending = tasks;
    }

    /// <summary>Completes when the mode is satisfied.</summary>
    public Task Satisfied => _satisfied.Task;

    public override void OnEvent(in TaskEventRecord item)
    {
        if (item.Kind == TaskEventKind.Ended)
            Count(item.Task);
    }

    /// <summary>Counts one end; also used for what had ended before.</summary>
    public void Count(TaskRecord task)
    {
        _pending--;
        _isSatisfied |= _pending == 0
            || _mode == WaitMode.FirstCompleted
            || (_mode == WaitMode.FirstFailed && task.State != TaskState.Succeeded);
    }

    public override void Kick(bool alone)
    {
        if (_isSatisfied)
            _satisfied.TrySetResult();
    }
}

/// <summary>One WatchTasks call: events out as they happen. A watcher that does not read is cut, and can resume after the last sequence that it has seen.</summary>
internal sealed class TaskWatch : TaskListener
{
    private const int MaxQueued = 10_000;

    private readonly Outbox _outbox;
    private int _pendingEnds;

    public TaskWatch(Func<PassWatchTasksResponse, Task> write, ResultWriter results) => _outbox = new Outbox(this, write, results);

    /// <summary>Completes when all watched tasks have ended and all was written, or fails when the watcher was cut.</summary>
    public Task Finished => _outbox.Finished;

    /// <summary>Begins with what has happened already; called under the engine's lock.</summary>
    public void Begin(IReadOnlyList<TaskEventRecord> past, int pendingEnds)
    {
        _pendingEnds = pendingEnds;
        foreach (var item in past)
            _outbox.Add(item);
    }

    public override void OnEvent(in TaskEventRecord item)
    {
        if (item.Kind == TaskEventKind.Ended)
            _pendingEnds--;
        _outbox.Add(item);
    }

    public override void Kick(bool alone) => _outbox.Kick();

    public void Close() => _outbox.Close();

    private sealed class Outbox(TaskWatch watch, Func<PassWatchTasksResponse, Task> write, ResultWriter results) : StreamOutbox<PassWatchTasksResponse>
    {
        private readonly Queue<TaskEventRecord> _events = new();
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Finished => _finished.Task;

        public void Add(in TaskEventRecord item)
        {
            lock (Gate)
            {
                _events.Enqueue(item);
                if (_events.Count <= MaxQueued)
                    return;
            }

            Close();
            _finished.TrySetException(Errors.Failures.Create(
                ErrorReason.LimitExceeded, $"the watcher did not keep up: {MaxQueued:N0} events (watch_events) were waiting; resume after the last sequence that you have seen"));
        }

        protected override bool HasQueued()
        {
            lock (Gate)
                return _events.Count > 0;
        }

        protected override PassWatchTasksResponse? Take()
        {
            lock (Gate)
            {
                if (_events.TryDequeue(out var item))
                    return new PassWatchTasksResponse { Event = results.ToEvent(item, item.Task.Tag) };
                if (watch._pendingEnds == 0)
                    _finished.TrySetResult();
                return null;
            }
        }

        protected override Task WriteAsync(PassWatchTasksResponse message) => write(message);

        protected override void OnFailed(Exception exception) => _finished.TrySetException(exception);
    }
}
