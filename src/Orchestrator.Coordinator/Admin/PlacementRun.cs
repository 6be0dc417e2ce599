using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;
using TaskState = Orchestrator.Core.TaskModel.TaskState;

namespace Orchestrator.Coordinator.Admin;

/// <summary>Equal tasks that ran in one placement.</summary>
/// <param name="Elapsed">From the submission of all to the end of the last.</param>
/// <param name="LatencyP50">The median from a task's acceptance to its end.</param>
/// <param name="RunP50">The median run time of a task.</param>
internal sealed record PlacementRun(TimeSpan Elapsed, TimeSpan LatencyP50, TimeSpan RunP50)
{
    /// <summary>Submits the tasks at once and waits for their end.</summary>
    /// <param name="host">Runs them.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="submission">One of the tasks.</param>
    /// <param name="placement">Where they run.</param>
    /// <param name="count">How many run.</param>
    /// <param name="client">Whose tasks these are.</param>
    /// <param name="cancellationToken">Cancels the tasks that have not ended.</param>
    /// <exception cref="RpcException">Why a task was refused, or its error.</exception>
    public static async Task<PlacementRun> MeasureAsync(
        TaskEngineHost host, MonotonicClock clock, TaskSubmission submission, PlacementPolicy placement, int count, ClientTaskQuota client,
        CancellationToken cancellationToken)
    {
        var task = submission with { Policy = TaskPolicy.Default with { Placement = placement } };
        var owner = new Collector(count);
        var began = clock.Now;
        IReadOnlyList<TaskRecord> ended;
        try
        {
            host.Apply(new TaskCommand.Submit([.. Enumerable.Repeat(task, count)], owner) { Client = client });
            ended = await owner.Ended.WaitAsync(cancellationToken);
        }
        finally
        {
            // Tasks are left if the run was cancelled, or refused in part.
            host.Apply(new TaskCommand.Abandon(owner));
        }

        var elapsed = clock.Now - began;
        if (ended.FirstOrDefault(one => one.State != TaskState.Succeeded) is { } failed)
        {
            throw RpcErrors.Create(
                (ErrorReason)(int)(failed.Failure?.Reason ?? FailureReason.HandlerFailed),
                $"a task did not succeed in the placement {placement}: {failed.Failure?.Message}");
        }

        return new PlacementRun(elapsed, Median(ended, one => one.EndedAt - one.AcceptedAt), Median(ended, one => one.RunTicks));
    }

    private static TimeSpan Median(IReadOnlyList<TaskRecord> tasks, Func<TaskRecord, long> ticks) =>
        TimeSpan.FromTicks(tasks.Select(ticks).Order().ElementAt(tasks.Count / 2));

    /// <summary>Collects the ends of the tasks.</summary>
    private sealed class Collector(int count) : TaskOwnerBase
    {
        private readonly List<TaskRecord> _ended = new(count);
        private readonly TaskCompletionSource<IReadOnlyList<TaskRecord>> _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskFailure? _refusal;

        public Task<IReadOnlyList<TaskRecord>> Ended => _all.Task;

        public override void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes) =>
            _refusal = outcomes.Select(outcome => outcome.Refusal).FirstOrDefault(refusal => refusal is not null);

        public override void OnEnded(ReadOnlySpan<Delivery> deliveries)
        {
            foreach (ref readonly var delivery in deliveries)
                _ended.Add(delivery.Task);
        }

        public override void Flush(bool alone)
        {
            if (_refusal is { } refusal)
                _all.TrySetException(RpcErrors.Create((ErrorReason)(int)refusal.Reason, refusal.Message));
            else if (_ended.Count >= count)
                _all.TrySetResult(_ended);
        }
    }
}
