using Orchestrator.Client;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class GilRow() : GuideRow("gil", "2", "Python's interpreter lock: threads of one worker against several workers")
{
    private const int Loops = 2_000_000;
    private const int Count = 2;
    private const int Attempts = 3;

    public override async Task RunAsync(GuideContext guide)
    {
        await using var python = await PythonPool.StartAsync(Count, guide.Token);
        guide.Say($"{Count} Python workers have joined a coordinator beside a .NET one. The guide's calculate(), {Loops:N0} times round, {Count} times at once:");
        var (busy, ratio, pids, best) = (0.0, 0.0, 0, "");
        for (var attempt = 0; attempt < Attempts && ratio < 1.3; attempt++)
        {
            Threads threads = null!;
            var inThreads = await GuideContext.TimeAsync(async () =>
                threads = await python.Client.RunAsync<Threads>("py_calculate_in_threads", new { n = Loops, threads = Count }, cancellationToken: guide.Token));
            Calculated[] outputs = [];
            var inProcesses = await GuideContext.TimeAsync(async () => outputs = await python.Client.MapAsync<object, Calculated>(
                "py_calculate", Enumerable.Repeat(new { n = Loops }, Count), cancellationToken: guide.Token).ToArrayAsync(guide.Token));
            guide.Say($"  {Count} threads of one worker: {GuideContext.Show(inThreads)}, {GuideContext.Show(threads.CpuSeconds / threads.Seconds)} cores busy; {Count} workers: {GuideContext.Show(inProcesses)}");
            if (inThreads / inProcesses <= ratio)
                continue;
            (busy, ratio, pids, best) = (threads.CpuSeconds / threads.Seconds, inThreads / inProcesses, outputs.DistinctBy(output => output.Pid).Count(), GuideContext.Ratio(inThreads, inProcesses));
        }

        guide.Shows($"threads of one interpreter keep one core busy, not {Count}: they wait for its lock", busy < 1.4);
        guide.Shows($"{Count} workers are {pids} processes, each with a lock of its own", pids == Count);
        if (Environment.ProcessorCount >= Count)
            guide.Shows($"they were {best} as fast", ratio > 1.2);

        var works = Enumerable.Repeat(new WorkInput(10_000_000), Count);
        var alone = await ComputeAsync(Executor.InProcessSequential);
        var both = await ComputeAsync(Executor.InProcess);
        guide.Say($".NET has no such lock: {Count} computations one after the other {GuideContext.Show(alone)}, in {Count} threads {GuideContext.Show(both)}.");

        Task<TimeSpan> ComputeAsync(Executor place) => GuideContext.TimeAsync(async () =>
            await guide.Pool.On(place).MapAsync<WorkInput, RunSpan>("guide_compute", works, cancellationToken: guide.Token).CountAsync(guide.Token));
    }

    private sealed record Threads(
        double Seconds, [property: System.Text.Json.Serialization.JsonPropertyName("cpu_seconds")] double CpuSeconds);

    private sealed record Calculated(int Pid);
}
