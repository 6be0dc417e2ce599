using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Transport.RawMessages;
using Orchestrator.V1;
using TaskState = Orchestrator.Core.TaskModel.TaskState;

namespace Orchestrator.Coordinator.Services;

/// <summary>One WaitTasks call: counts ends until its mode is satisfied.</summary>
internal sealed class TaskWait : TaskWatcherBase
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

    /// <summary>Counts one end; also used for tasks that had already ended.</summary>
    public void Count(TaskRecord task)
    {
        _pending--;
        _isSatisfied |= _pending == 0
            || _mode == WaitMode.FirstCompleted
            || (_mode == WaitMode.FirstFailed && task.State != TaskState.Succeeded);
    }

    public override void Flush(bool alone)
    {
        if (_isSatisfied)
            _satisfied.TrySetResult();
    }
}

/// <summary>
/// One WatchTasks call: sends events as they happen. A watcher that does not keep up misses the oldest, and learns how many.
/// </summary>
internal sealed class TaskWatch : TaskWatcherBase
{
    private readonly ResponseWriter _responses;
    private int _pendingEnds;

    public TaskWatch(Func<RawWatchTasksResponse, Task> write, TaskResultMapper results, MemoryBudget memory) =>
        _responses = new ResponseWriter(this, write, results, memory);

    /// <summary>Completes when all watched tasks have ended and all events are written, or fails when the watcher disconnects.</summary>
    public Task Finished => _responses.Finished;

    /// <summary>Starts with the past events; called under the engine's lock.</summary>
    /// <param name="past">The past events.</param>
    /// <param name="had">What the watcher already has of each task.</param>
    /// <param name="pendingEnds">How many of its tasks are unfinished.</param>
    public void Begin(IReadOnlyList<TaskEventRecord> past, IReadOnlyDictionary<long, EventCounts> had, int pendingEnds)
    {
        _pendingEnds = pendingEnds;
        _responses.Begin(had);
        foreach (var item in past)
            _responses.Add(item);
    }

    public override void OnEvent(in TaskEventRecord item)
    {
        if (item.Kind == TaskEventKind.Ended)
            _pendingEnds--;
        _responses.Add(item);
    }

    public override void Flush(bool alone) => _responses.Flush();

    public Task CloseAsync(CancellationToken gone) => _responses.EndAsync(gone);

    private sealed class ResponseWriter(TaskWatch watch, Func<RawWatchTasksResponse, Task> write, TaskResultMapper results,
        MemoryBudget memory) : BatchingStreamWriter<RawWatchTasksResponse>
    {
        private readonly EventBacklog _events = new(memory);
        private readonly Queue<RawTaskEvent> _next = new();
        private readonly List<RawTaskEvent> _taken = [];
        private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Finished => _finished.Task;

        public void Begin(IReadOnlyDictionary<long, EventCounts> had)
        {
            lock (Gate)
            {
                foreach (var (task, counts) in had)
                    _events.Begin(task, counts);
            }
        }

        public void Add(in TaskEventRecord item)
        {
            lock (Gate)
                _events.Add(item);
        }

        public async Task EndAsync(CancellationToken gone)
        {
            Close();
            lock (Gate)
                _events.Close();
            await CloseAsync(gone);
        }

        protected override bool HasQueued()
        {
            lock (Gate)
                return _next.Count > 0 || _events.Count > 0;
        }

        protected override RawWatchTasksResponse? Take()
        {
            lock (Gate)
            {
                if (_next.Count == 0 && _events.TryTake(out var item, out var missing))
                {
                    results.AddTo(_taken, item, missing, item.Task.Tag);
                    foreach (var message in _taken)
                        _next.Enqueue(message);
                    _taken.Clear();
                }

                if (_next.TryDequeue(out var next))
                    return new RawWatchTasksResponse { Event = next };
                if (watch._pendingEnds == 0)
                    _finished.TrySetResult();
                return null;
            }
        }

        protected override Task WriteAsync(RawWatchTasksResponse message) => write(message);

        protected override void OnFailed(Exception exception) => _finished.TrySetException(exception);
    }
}
