using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution.Lanes;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Execution;

/// <summary>
/// Runs attempts in lanes and reports their ends to a writer. A worker process uses it for its stream's assignments, the coordinator for
/// tasks placed in process. All members may be called from any thread; none of them runs user code on the calling thread, except
/// <see cref="RunInline"/>.
/// </summary>
internal sealed class TaskExecutor : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<AttemptKey, TaskContext> _attempts = [];
    private readonly CancellationTokenSource _shutdown = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AttemptEnvironment _environment;
    private readonly ExecutorLanes _lanes;
    private int _running;
    private int _waiting;
    private bool _draining;

    /// <summary>Creates an executor; its threads are created on demand.</summary>
    /// <param name="handlers">The available handlers; read-only from now on.</param>
    /// <param name="services">For handler classes and <see cref="TaskContext.Services"/>.</param>
    /// <param name="layout">The lanes.</param>
    /// <param name="writer">Receives ends and events.</param>
    /// <param name="recorder">Marks starts and ends; not owned. Null without a flight recorder.</param>
    /// <param name="time">Measures run times and run timeouts.</param>
    public TaskExecutor(
        TaskHandlerRegistry handlers,
        IServiceProvider services,
        ExecutorLayout layout,
        IAttemptResultWriter writer,
        FlightRecorder? recorder,
        TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(time);
        handlers.Freeze();
        _environment = new AttemptEnvironment(handlers, services, writer, layout.IsInProcess, _shutdown.Token);
        _lanes = layout.Build(new LaneServices(new AttemptRunner(this, recorder, time), writer, time));
    }

    /// <summary>How many attempts have started and not ended.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>How many attempts have not started yet.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>The value of <see cref="TaskContext.WorkerName"/> for handlers.</summary>
    public string WorkerName
    {
        get => _environment.WorkerName;
        set => _environment.WorkerName = value;
    }

    /// <summary>The largest output, and partial output, in bytes: set before the first attempt.</summary>
    public int LargestOutput
    {
        get => _environment.LargestOutput;
        init => _environment.LargestOutput = value;
    }

    /// <summary>Completes after <see cref="Drain"/>, once the last attempt has been reported.</summary>
    public Task Drained => _drained.Task;

    private IAttemptResultWriter ResultWriter => _environment.ResultWriter;

    /// <summary>Accepts attempts in order. Those of unknown handlers end at once; after <see cref="Drain"/> all are returned.</summary>
    public void Start(ReadOnlySpan<RawAssignment> assignments) => Accept(assignments, deferred: false);

    /// <summary>
    /// Like <see cref="Start"/>, but the caller promises to call <see cref="RunInline"/> shortly: so asynchronous tasks can begin on the
    /// thread that read them, without a switch to another.
    /// </summary>
    public void EnqueueForInline(ReadOnlySpan<RawAssignment> assignments) => Accept(assignments, deferred: true);

    /// <summary>
    /// Runs the attempts that <see cref="EnqueueForInline"/> left for the calling thread. This is user code and may take any
    /// time.
    /// </summary>
    /// <param name="onStalled">Called, once and on another thread, if user code keeps the calling thread for longer than a
    /// millisecond.</param>
    public void RunInline(Action? onStalled = null) => _lanes.Io.RunInline(onStalled);

    /// <summary>
    /// Cancels an attempt: an unstarted one ends at once with rung BEFORE_START, the token of a running one fires. An unknown or ended one
    /// is ignored.
    /// </summary>
    public void Cancel(ulong taskId, int attempt)
    {
        if (Find(taskId, attempt) is not { } found)
            return;
        if (found.TryEndUnstarted())
        {
            Interlocked.Decrement(ref _waiting);
            ResultWriter.Completed(AttemptRunner.NotRun(found.Assignment, TaskErrors.BeforeStart()));
            Forget(found);
            ResultWriter.Flush(busy: false);
        }
        else
        {
            found.RequestCancel(CancelCause.Cancelled);
        }
    }

    /// <summary>Returns those of the attempts that have not started; the others are not affected.</summary>
    public void GiveBack(IReadOnlyList<AttemptRef> attempts)
    {
        ArgumentNullException.ThrowIfNull(attempts);
        for (var i = 0; i < attempts.Count; i++)
        {
            if (Find(attempts[i].TaskId, attempts[i].Attempt) is { } found)
                TryReturn(found);
        }

        ResultWriter.Flush(busy: false);
    }

    /// <summary>
    /// Accepts no more attempts, returns unstarted ones, and fires <see cref="TaskContext.ShutdownToken"/>; running tasks finish.
    /// </summary>
    public void Drain()
    {
        TaskContext[] all;
        lock (_gate)
        {
            if (_draining)
                return;
            _draining = true;
            all = [.. _attempts.Values];
        }

        foreach (var attempt in all)
            TryReturn(attempt);
        ResultWriter.Flush(busy: false);
        _ = _shutdown.CancelAsync();
        lock (_gate)
            CompleteIfDrained();
    }

    /// <summary>
    /// Drains, fires the tokens of running attempts, and ends the threads. Does not wait for handlers: await <see cref="Drained"/> first if
    /// they are to finish. Worker-local instances are disposed only once nothing runs.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Drain();
        TaskContext[] all;
        lock (_gate)
            all = [.. _attempts.Values];
        foreach (var attempt in all)
            attempt.RequestCancel(CancelCause.Cancelled);
        _lanes.Cpu.Stop();
        _lanes.Io.Stop();
        _lanes.Blocking.Stop();
        if (Drained.IsCompleted)
            await _environment.Locals.DisposeAsync().ConfigureAwait(false);
    }

    internal void OnStarted()
    {
        Interlocked.Decrement(ref _waiting);
        Interlocked.Increment(ref _running);
    }

    internal void OnEnded(TaskContext attempt, in RawAttemptResult result)
    {
        Interlocked.Decrement(ref _running);
        ResultWriter.Completed(result);
        Forget(attempt);
    }

    private void Accept(ReadOnlySpan<RawAssignment> assignments, bool deferred)
    {
        var batch = new TaskContext[assignments.Length];
        var count = 0;
        foreach (ref readonly var assignment in assignments)
        {
            if (_environment.Handlers.TryGet(assignment.Handler, out var registration))
                batch[count++] = new TaskContext(_environment, assignment, registration, _lanes.For(registration.Kind));
            else
                ResultWriter.Completed(AttemptRunner.NotRun(assignment, TaskErrors.UnknownHandler(assignment.Handler)));
        }

        var attempts = batch.AsSpan(0, count);
        if (TryList(ref attempts))
        {
            EnqueueRuns(attempts, deferred);
            if (attempts.Length == assignments.Length)
                return;
        }
        else
        {
            foreach (var attempt in attempts)
                ResultWriter.Returned(attempt.ToRef());
        }

        ResultWriter.Flush(busy: false);
    }

    /// <summary>
    /// Enters attempts into the table; false while draining. An attempt that is already in the table answers once, for both.
    /// </summary>
    private bool TryList(ref Span<TaskContext> attempts)
    {
        lock (_gate)
        {
            if (_draining)
                return false;
            var listed = 0;
            foreach (var attempt in attempts)
            {
                if (_attempts.TryAdd(AttemptKey.Of(attempt), attempt))
                    attempts[listed++] = attempt;
            }

            attempts = attempts[..listed];
            Interlocked.Add(ref _waiting, listed);
            return true;
        }
    }

    /// <summary>Enqueues adjacent attempts of one lane together: one lock and one wake-up for a whole batch.</summary>
    private static void EnqueueRuns(ReadOnlySpan<TaskContext> attempts, bool deferred)
    {
        var start = 0;
        for (var i = 1; i <= attempts.Length; i++)
        {
            if (i < attempts.Length && attempts[i].Lane == attempts[start].Lane)
                continue;
            attempts[start].Lane.Enqueue(attempts[start..i], deferred);
            start = i;
        }
    }

    private TaskContext? Find(ulong taskId, int attempt)
    {
        lock (_gate)
            return _attempts.GetValueOrDefault(new AttemptKey(taskId, attempt));
    }

    private void TryReturn(TaskContext attempt)
    {
        if (!attempt.TryEndUnstarted())
            return;
        Interlocked.Decrement(ref _waiting);
        ResultWriter.Returned(attempt.ToRef());
        Forget(attempt);
    }

    private void Forget(TaskContext attempt)
    {
        lock (_gate)
        {
            _attempts.Remove(AttemptKey.Of(attempt));
            CompleteIfDrained();
        }
    }

    private void CompleteIfDrained()
    {
        if (_draining && _attempts.Count == 0)
            _drained.TrySetResult();
    }

    private readonly record struct AttemptKey(ulong TaskId, int Attempt)
    {
        public static AttemptKey Of(TaskContext attempt) => new(attempt.TaskId, attempt.Attempt);

        public override int GetHashCode() => (int)TaskId ^ (int)(TaskId >> 32) ^ (Attempt << 20);
    }
}
