using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;
using TaskState = Orchestrator.Core.TaskModel.TaskState;

namespace Orchestrator.Coordinator.Admin;

/// <summary>
/// Runs the same tasks in every placement, round by round, and measures each run: what a program that embeds the pool would see. Clients
/// have the way to the coordinator in addition; <c>orchestrator bench compare</c> measures that, too.
/// </summary>
internal sealed class ComparisonRunner(TaskEngineHost host, WorkerSupervisor workers, MonotonicClock clock)
{
    private const int DefaultTasks = 200;
    private const int MaxTasks = 10_000;
    private const int MinTasks = 4;
    private const int MaxInputs = 8;
    private const int Rounds = 3;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly PlacementPolicy[] Placements =
        [PlacementPolicy.Sequential, PlacementPolicy.Threads, PlacementPolicy.Async, PlacementPolicy.WorkerProcess];

    private int _isRunning;

    /// <summary>Runs a comparison.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="client">Whose tasks these are.</param>
    /// <param name="report">Gets each run's figures.</param>
    /// <param name="cancellationToken">Cancels the tasks that have not ended.</param>
    /// <exception cref="RpcException">INVALID; LIMIT_EXCEEDED while another one runs, or tasks of others; the error of a task.</exception>
    public async Task RunAsync(
        RunComparisonRequest request, ClientTaskQuota client, Func<RunComparisonResponse, Task> report, CancellationToken cancellationToken)
    {
        Validate(request);
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
            throw RpcErrors.Create(ErrorReason.LimitExceeded, "another comparison runs; one may at a time");
        try
        {
            if (!request.Force && host.Read(view => view.Unfinished) is > 0 and var unfinished)
            {
                throw RpcErrors.Create(
                    ErrorReason.LimitExceeded,
                    $"{unfinished:N0} tasks are unfinished, and what they take would be missing in the figures; " +
                    "'force' compares nevertheless");
            }

            await CompareAsync(request, client, report, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }

    private static void Validate(RunComparisonRequest request)
    {
        if (request.Handler.Length == 0)
            throw RpcErrors.Invalid("handler", "is empty; it names what to run, as listed by ListHandlers");
        if (request.Tasks is < 0 or > MaxTasks)
            throw RpcErrors.Invalid("tasks", $"{request.Tasks} is not between 0 and {MaxTasks}");
        if (request.Inputs.Count > MaxInputs)
            throw RpcErrors.Invalid("inputs", $"are {request.Inputs.Count}; at most {MaxInputs} can be compared");
    }

    private async Task CompareAsync(
        RunComparisonRequest request, ClientTaskQuota client, Func<RunComparisonResponse, Task> report, CancellationToken cancellationToken)
    {
        var end = clock.Now + Limit;
        var inputs = request.Inputs.Count == 0 ? [new Payload()] : request.Inputs.ToArray();
        var asked = request.Tasks == 0 ? DefaultTasks : request.Tasks;
        var runs = inputs.Length * Rounds * Placements.Length;
        for (var input = 0; input < inputs.Length; input++)
        {
            var submission = new TaskSubmission(
                request.Handler, TaskPolicy.Default, inputs[input].ToByteString(), inputs[input].CalculateSize());
            // One of each first: compiled code, and how long a task takes.
            var longest = TimeSpan.Zero;
            foreach (var placement in Placements)
            {
                var trial = await RunAsync(submission, placement, 1, client, cancellationToken);
                longest = trial.RunP50 > longest ? trial.RunP50 : longest;
            }

            // What is left for this input, for each of its runs; sequentially, a run takes the sum of its tasks.
            var share = (end - clock.Now) / ((inputs.Length - input) * Rounds * Placements.Length);
            var tasks = (int)Math.Clamp(share / (longest + TimeSpan.FromTicks(1)), MinTasks, asked);
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var placement in Placements)
                {
                    if (clock.Now > end)
                        return;
                    var run = await RunAsync(submission, placement, tasks, client, cancellationToken);
                    await report(new RunComparisonResponse
                    {
                        Input = input,
                        Round = round,
                        Placement = (Placement)((int)placement + 1),
                        Tasks = tasks,
                        PerSecond = tasks / run.Elapsed.TotalSeconds,
                        LatencyP50 = WorkerMessageMapper.ToDuration(run.LatencyP50.Ticks),
                        RunP50 = WorkerMessageMapper.ToDuration(run.RunP50.Ticks),
                        RssBytes = (ulong)(Environment.WorkingSet + workers.Status.Sum(worker => (long)(worker.Vitals?.RssBytes ?? 0))),
                        Runs = runs,
                    });
                }
            }
        }
    }

    private async Task<Run> RunAsync(
        TaskSubmission submission, PlacementPolicy placement, int count, ClientTaskQuota client, CancellationToken cancellationToken)
    {
        var one = submission with { Policy = TaskPolicy.Default with { Placement = placement } };
        var owner = new Collector(count);
        var began = clock.Now;
        await using var abandon = cancellationToken.Register(() => host.Apply(new TaskCommand.Abandon(owner)));
        host.Apply(new TaskCommand.Submit([.. Enumerable.Repeat(one, count)], owner) { Client = client });
        var ended = await owner.Ended.WaitAsync(cancellationToken);
        var elapsed = clock.Now - began;
        if (ended.FirstOrDefault(task => task.State != TaskState.Succeeded) is { } failed)
        {
            throw RpcErrors.Create(
                (ErrorReason)(int)(failed.Failure?.Reason ?? FailureReason.HandlerFailed),
                $"a task did not succeed in the placement {placement}: {failed.Failure?.Message}");
        }

        return new Run(elapsed, Median(ended, task => task.EndedAt - task.AcceptedAt), Median(ended, task => task.RunTicks));
    }

    private static TimeSpan Median(IReadOnlyList<TaskRecord> tasks, Func<TaskRecord, long> ticks) =>
        TimeSpan.FromTicks(tasks.Select(ticks).Order().ElementAt(tasks.Count / 2));

    private sealed record Run(TimeSpan Elapsed, TimeSpan LatencyP50, TimeSpan RunP50);

    /// <summary>Collects the ends of the tasks of one run.</summary>
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
