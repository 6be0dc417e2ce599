using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Core.TaskModel;
using Orchestrator.V1;

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
    /// <exception cref="RpcException">
    /// INVALID; LIMIT_EXCEEDED while another one runs, or tasks of others, or if no run could be measured in time; the error of a task.
    /// </exception>
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

            await CompareInTimeAsync(request, client, report, cancellationToken);
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

    private async Task CompareInTimeAsync(
        RunComparisonRequest request, ClientTaskQuota client, Func<RunComparisonResponse, Task> report, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, clock.Provider);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var measured = 0;
        Task Report(RunComparisonResponse run)
        {
            measured++;
            return report(run);
        }

        try
        {
            await CompareAsync(request, client, Report, end.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && measured > 0)
        {
            // What was measured is valid; 'runs' tells how many there would have been.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw RpcErrors.Create(
                ErrorReason.LimitExceeded,
                $"tasks of '{request.Handler}' take too long: none of the runs ended within {Limit.TotalSeconds:0} s; " +
                "use a smaller input");
        }
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
                var trial = await PlacementRun.MeasureAsync(host, clock, submission, placement, 1, client, cancellationToken);
                longest = trial.RunP50 > longest ? trial.RunP50 : longest;
            }

            // What is left for this input, for each of its runs; sequentially, a run takes the sum of its tasks.
            var share = (end - clock.Now) / ((inputs.Length - input) * Rounds * Placements.Length);
            var tasks = (int)Math.Clamp(share / (longest + TimeSpan.FromTicks(1)), MinTasks, asked);
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var placement in Placements)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var run = await PlacementRun.MeasureAsync(host, clock, submission, placement, tasks, client, cancellationToken);
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
}
