using System.Diagnostics;
using Orchestrator.Core.Common;
using Orchestrator.Core.Scheduling;
using Orchestrator.Core.Spans;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// The life of every task and the decision which task runs where, as one deterministic state machine: the same commands at the same times
/// give the same effects. It has no clock, randomness or threads. The host calls <see cref="Apply"/> under a lock and performs the effects
/// after it has released that lock. Times are monotonic, measured from any fixed origin.
/// </summary>
/// <remarks>
/// One pass: completing a task and choosing the next is one <see cref="Apply"/>; a batch of results and its successors costs one entry. The
/// engine only routes: each part decides its own matter and calls only parts that are created before it; the constructor shows their order.
/// </remarks>
public sealed class TaskEngine
{
    private readonly TaskEngineContext _context;
    private readonly ResultStore _results;
    private readonly AttemptSpans _spans = new();
    private readonly WorkerPools _pools;
    private readonly WaitingTasks _waiting;
    private readonly Dispatcher _dispatcher;
    private readonly Rebalancer _rebalancer;
    private readonly TaskTransitions _transitions;
    private readonly DependencyTracker _dependencies;
    private readonly AttemptLifecycle _attempts;
    private readonly WorkerTable _workers;
    private readonly CancellationEscalation _cancellation;
    private readonly AdmissionControl _admission;

    /// <summary>Creates an engine without workers.</summary>
    /// <param name="options">Limits and durations.</param>
    /// <param name="memory">The memory budget shared with other components; null for none.</param>
    public TaskEngine(TaskEngineOptions options, MemoryBudget? memory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _context = new TaskEngineContext(options, new MemoryShare(memory ?? new MemoryBudget(long.MaxValue)));
        _results = new ResultStore(_context);
        _pools = new WorkerPools(options);
        _waiting = new WaitingTasks(_context, _pools);
        _rebalancer = new Rebalancer(_context, _pools);
        _transitions = new TaskTransitions(_context, _pools, _waiting, _results);
        _dependencies = new DependencyTracker(_context, _transitions);
        _attempts = new AttemptLifecycle(_context, _waiting, _results, _transitions, _spans);
        _dispatcher = new Dispatcher(_context, _pools, _waiting, _attempts.Assign);
        _workers = new WorkerTable(_context, _pools, _waiting, _rebalancer, _attempts, _transitions, _dependencies);
        _cancellation = new CancellationEscalation(_context, _rebalancer, _attempts, _transitions, _workers);
        _admission = new AdmissionControl(_context, _pools, _waiting, _results, _transitions, _dependencies, _workers);
        View = new TaskEngineView(_context, _results, _pools, _dispatcher, _attempts, _cancellation, _admission, _spans);
    }

    /// <summary>What can be asked of the engine.</summary>
    public TaskEngineView View { get; }

    /// <summary>When <see cref="Tick"/> is due; null while nothing depends on time.</summary>
    public TimeSpan? NextDeadline
    {
        get
        {
            var next = Math.Min(
                Math.Min(_context.Deadlines.Next, _cancellation.NextKill), Math.Min(_dispatcher.DueAt, _rebalancer.DueAt));
            return next == long.MaxValue ? null : TimeSpan.FromTicks(next);
        }
    }

    /// <summary>
    /// Applies one command at the time <paramref name="now"/> and appends the resulting work to <paramref name="effects"/>.
    /// </summary>
    public void Apply(TaskCommand command, TimeSpan now, TaskEffects effects)
    {
        _context.Enter(now, effects);
        switch (command)
        {
            case TaskCommand.Submit submit:
                _admission.OnSubmit(submit);
                break;
            case TaskCommand.Report report:
                _attempts.OnReport(report);
                break;
            case TaskCommand.Cancel cancel:
                _cancellation.OnCancel(cancel);
                break;
            case TaskCommand.CancelTags cancel:
                _cancellation.OnCancelTags(cancel);
                break;
            case TaskCommand.Abandon abandon:
                _cancellation.OnAbandon(abandon.Owner);
                break;
            case TaskCommand.WorkerJoined joined:
                _workers.OnJoined(joined);
                break;
            case TaskCommand.WorkerDraining draining:
                _workers.OnDraining(draining.Worker);
                break;
            case TaskCommand.WorkerLost lost:
                _cancellation.Forget(lost.Worker);
                _workers.OnLost(lost);
                break;
            case TaskCommand.GroupGivenUp given:
                _workers.OnGroupGivenUp(given.Loss);
                break;
            case TaskCommand.GroupStarting starting:
                _workers.OnGroupStarting(starting.Group);
                break;
            case TaskCommand.PermitGranted granted:
                _waiting.OnPermitGranted(granted.Queue);
                break;
            case TaskCommand.PermitRefused refused:
                _transitions.EndRefused(refused);
                break;
            case TaskCommand.Condemn condemn:
                _cancellation.Condemn(condemn.Worker);
                break;
            case TaskCommand.Watch watch:
                _results.OnWatch(watch);
                break;
            case TaskCommand.Unwatch unwatch:
                _results.OnUnwatch(unwatch);
                break;
            case TaskCommand.Drain:
                _admission.Drain();
                break;
            case TaskCommand.CancelAll:
                _cancellation.OnCancelAll();
                break;
            default:
                throw new UnreachableException($"unknown command {command}");
        }

        Leave();
    }

    /// <summary>Advances time: timeouts, backoffs, expired results, work to move between workers.</summary>
    public void Tick(TimeSpan now, TaskEffects effects)
    {
        _context.Enter(now, effects);
        // Each deadline is removed first, so that a step that throws is not retried without end.
        while (_context.Deadlines.TakeDue(_context.Now) is { } task)
        {
            if (task.HasEnded)
                _results.Expire(task);
            else
                _cancellation.OnDeadline(task);
        }

        Leave();
    }

    /// <summary>Restores the durable tasks of an earlier process, in the order of their ids, before the first command.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="forgotten">Tasks that are no longer kept; a caller that repeats one of their request ids gets an error.</param>
    /// <param name="now">The time; times of the tasks may lie before the engine's zero.</param>
    /// <param name="effects">
    /// The resulting changes: an attempt that was at a worker may have run, so it has failed with WORKER_LOST, and is followed by another
    /// only if the policy says so.
    /// </param>
    public void Restore(IEnumerable<RestoredTask> tasks, IEnumerable<ForgottenTask> forgotten, TimeSpan now, TaskEffects effects)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(forgotten);
        _context.Enter(now, effects);
        _admission.Restore(tasks, forgotten);
        Leave();
    }

    /// <summary>
    /// Durable changes can no longer be written. Attempts whose start is not journaled are not started; queued tasks end with
    /// JOURNAL_FAILED, and running tasks do so when they return. In the journal all of them keep their state, for the next process.
    /// </summary>
    /// <param name="why">The cause.</param>
    /// <param name="unsent">Attempts that have not been sent to their workers.</param>
    /// <param name="untold">Ended tasks whose ends have not been reported.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">The resulting work.</param>
    public void FailJournal(
        string why, IReadOnlyList<AttemptId> unsent, IReadOnlyList<TaskRecord> untold, TimeSpan now, TaskEffects effects)
    {
        ArgumentNullException.ThrowIfNull(unsent);
        ArgumentNullException.ThrowIfNull(untold);
        _context.Enter(now, effects);
        _context.Changes.Fail(why);
        _attempts.OnJournalFailed(unsent, untold);
        Leave();
    }

    private void Leave()
    {
        SettleConsequences();
        _dispatcher.DispatchAll();
        _rebalancer.Rebalance();
        _cancellation.KillCondemnedWorkers();
        _context.Usage.Publish();
    }

    /// <summary>
    /// Settles dependents and fail-fast groups of the tasks that ended in this pass; one may end more, so until none is left.
    /// </summary>
    private void SettleConsequences()
    {
        while (true)
        {
            if (_dependencies.SettleNext())
                continue;
            if (_results.TakeFailedFast() is not { } owner)
                return;
            _cancellation.CancelTasksOf(owner);
        }
    }
}
