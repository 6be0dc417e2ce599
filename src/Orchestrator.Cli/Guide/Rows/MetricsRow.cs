using Orchestrator.Cli.Output;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class MetricsRow() : GuideRow("metrics", "11", "what to measure, and where it is")
{
    private const int Good = 18;
    private const int Bad = 2;

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say(
            $"{Good} tasks that compute, {Bad} that fail, and three items in a queue. The program records nothing: the coordinator and " +
            "the workers do.");
        var before = await guide.Client.Contract.GetStatusAsync(guide.Token);
        var works = Enumerable.Repeat(new { limit = 3_000_000 }, Good);
        var outcomes = await guide.Pool.MapOutcomesAsync<object, long>("count_primes", works, cancellationToken: guide.Token)
            .ToArrayAsync(guide.Token);
        await guide.Pool.MapOutcomesAsync<string, int>("guide_throw", Enumerable.Repeat("on purpose", Bad), cancellationToken: guide.Token)
            .CountAsync(guide.Token);
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = guide.Name("jobs") }, guide.Token);
        await using var session = await guide.OpenSessionAsync();
        await session.Queue(guide.Name("jobs")).PutAllAsync(
            Enumerable.Range(0, 3).Select(Payloads.FromNumber), cancellationToken: guide.Token);

        // A worker's metrics arrive with its heartbeat, twice a second.
        ServiceStatus status = null!;
        await guide.UntilAsync(
            async () => (status = await guide.Client.Contract.GetStatusAsync(guide.Token)).Workers.All(worker => worker.RssBytes > 0));
        var (succeeded, failed) = (status.Tasks.Succeeded - before.Tasks.Succeeded, status.Tasks.Failed - before.Tasks.Failed);
        var runs = (await RunsAsync(guide, "count_primes", Good)).Concat(await RunsAsync(guide, "guide_throw", Bad)).ToArray();
        var average = TimeSpan.FromTicks((long)runs.Average(run => run.Ticks));
        guide.Say($"summary(): total {succeeded + failed}, successful {succeeded}, success rate " +
            $"{100.0 * succeeded / (succeeded + failed):0.00} %, average duration {GuideContext.Show(average)}");
        guide.Shows($"every task has a duration: {GuideContext.Show(runs.Min())} to {GuideContext.Show(runs.Max())}",
            runs.Length == Good + Bad && average > TimeSpan.Zero && runs.Min() <= average && average <= runs.Max());
        guide.Shows(
            "tasks are counted by how they ended", succeeded == Good && failed == Bad && outcomes.All(outcome => outcome.Succeeded));

        var handler = status.Handlers.Single(one => one.Handler == "count_primes");
        guide.Shows(
            $"duration, per handler: run p50 {Format.Time(handler.RunP50)}, p99 {Format.Time(handler.RunP99)}; with the way there and " +
            $"back p50 {Format.Time(handler.LatencyP50)}",
            handler.RunP50.ToTimeSpan() > TimeSpan.Zero && handler.LatencyP50.ToTimeSpan() >= handler.RunP50.ToTimeSpan() / 2);

        var single = await guide.Client.Contract.RunTaskAsync(
            new TaskSpec { Handler = "sum_of_squares", Input = Payloads.FromJson("""{"n": 20000000}""") }, cancellationToken: guide.Token);
        guide.Shows(
            $"and per task: queued {Format.Time(single.Timing?.Queued)}, ran {Format.Time(single.Timing?.Run)}, of which " +
            $"{Format.Time(single.Timing?.CpuTime)} on a core",
            single.Timing?.Run?.ToTimeSpan() > TimeSpan.Zero && single.Timing.CpuTime?.ToTimeSpan() > TimeSpan.Zero);

        foreach (var worker in status.Workers)
            guide.Say(
                $"  {worker.Name}: process {worker.Pid}, {worker.CpuPercent:0} % CPU, {Format.Bytes(worker.RssBytes)}, {worker.Threads} " +
                $"threads, {worker.CompletedTasks} tasks");
        guide.Shows("CPU, memory and threads of every worker process are known", status.Workers.All(
            worker => worker.RssBytes > 0 && worker.Threads > 0));
        var queue = await guide.Client.Contract.GetQueueAsync(guide.Name("jobs"), guide.Token);
        guide.Shows($"queue size: {queue.ReadyItems} items wait, the oldest for {Format.Time(queue.OldestAge)}", queue.ReadyItems == 3);
        guide.Say("The same: `orchestrator status`, `orchestrator tasks`, `orchestrator workers`, `orchestrator queue list`.");
    }

    /// <summary>The run times of the last tasks of a handler.</summary>
    private static async Task<IEnumerable<TimeSpan>> RunsAsync(GuideContext guide, string handler, int count) =>
        (await guide.Client.Contract.ListTasksAsync(new ListTasksRequest { Handler = handler, PageSize = count }, guide.Token)).Tasks
            .Select(task => task.Result?.Timing?.Run?.ToTimeSpan() ?? TimeSpan.Zero);
}
