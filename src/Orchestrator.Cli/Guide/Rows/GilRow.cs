using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class GilRow() : GuideRow("gil", "2", "Python's interpreter lock: threads of one worker against several workers")
{
    private const int Loops = 2_000_000;
    private const int Count = 2;
    private const int Attempts = 3;
    private const int Waiting = 10;
    private const int WaitMilliseconds = 200;

    public override async Task RunAsync(GuideContext guide)
    {
        await using var python = await PythonPool.StartAsync(Count, guide.Token);
        guide.Say(
            $"{Count} Python workers have joined a coordinator beside a .NET one. The guide's calculate(), {Loops:N0} times round, " +
            $"{Count} times at once:");
        var (busy, others, ratio, best) = (0.0, double.MaxValue, 0.0, "");
        var pids = new HashSet<int>();
        for (var attempt = 0; attempt < Attempts && (ratio < 1.3 || OtherLoad.Disturbs(others)); attempt++)
        {
            var load = new OtherLoad();
            Threads threads = null!;
            var inThreads = await GuideContext.TimeAsync(async () =>
                threads = await python.Client.RunAsync<Threads>(
                    "py_calculate_in_threads", new { n = Loops, threads = Count }, cancellationToken: guide.Token));
            Calculated[] outputs = [];
            var inProcesses = await GuideContext.TimeAsync(async () => outputs = await python.Client.MapAsync<object, Calculated>(
                "py_calculate", Enumerable.Repeat(new { n = Loops }, Count), cancellationToken: guide.Token).ToArrayAsync(guide.Token));
            var beside = load.Cores(threads.CpuSeconds + outputs.Sum(output => output.CpuSeconds));
            guide.Say(
                $"  {Count} threads of one worker: {GuideContext.Show(inThreads)}, " +
                $"{GuideContext.Show(threads.CpuSeconds / threads.Seconds)} cores busy; {Count} workers: {GuideContext.Show(inProcesses)}");
            pids.UnionWith(outputs.Select(output => output.Pid));
            // The more of the machine both runs had, the more significant they are.
            if (beside >= others)
                continue;
            (busy, others, ratio, best) =
                (threads.CpuSeconds / threads.Seconds, beside, inThreads / inProcesses, GuideContext.Ratio(inThreads, inProcesses));
        }

        guide.Shows(
            $"{Count} threads of one interpreter kept {GuideContext.Show(busy)} cores busy, never two: each waits for the lock that the " +
            "other has", busy < 1.4);
        guide.Shows($"{Count} workers are {pids.Count} processes, each with a lock of its own", pids.Count == Count);
        if (OtherLoad.Disturbs(others))
            guide.Say(
                $"Other programs took {GuideContext.Show(others)} of this machine's {Environment.ProcessorCount} cores meanwhile, so the " +
                "speed-up cannot be measured here.");
        else if (Environment.ProcessorCount >= Count)
            guide.Shows($"they were {best} as fast", ratio > 1.2);

        var waits = await python.Client.RunAsync<Threads>(
            "py_wait_in_threads", new { ms = WaitMilliseconds, threads = Waiting }, cancellationToken: guide.Token);
        guide.Say(
            $"The lock is released while a thread waits for input or output: {Waiting} threads that wait {WaitMilliseconds} ms each took " +
            $"{GuideContext.Show(TimeSpan.FromSeconds(waits.Seconds))} together.");
        guide.Shows($"IO-bound threads of one interpreter wait at the same time: less than half of {Waiting * WaitMilliseconds} ms",
            waits.Seconds * 1_000 < Waiting * WaitMilliseconds / 2.0);

        var works = Enumerable.Repeat(new WorkInput(10_000_000), Count);
        var alone = await ComputeAsync(TaskPlacement.InProcessSequential);
        var both = await ComputeAsync(TaskPlacement.InProcess);
        guide.Say(
            $".NET has no such lock: {Count} computations one after the other {GuideContext.Show(alone)}, in {Count} threads " +
            $"{GuideContext.Show(both)}.");

        Task<TimeSpan> ComputeAsync(TaskPlacement place) => GuideContext.TimeAsync(async () =>
            await guide.Pool.WithPlacement(place).MapAsync<WorkInput, RunSpan>("guide_compute", works, cancellationToken: guide.Token)
                .CountAsync(guide.Token));
    }

    private sealed record Threads(
        double Seconds, [property: System.Text.Json.Serialization.JsonPropertyName("cpu_seconds")] double CpuSeconds);

    private sealed record Calculated(int Pid, [property: System.Text.Json.Serialization.JsonPropertyName("cpu_seconds")] double CpuSeconds);
}
