using System.Diagnostics;
using Orchestrator.Client.Tasks;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class CpuVsIoRow() : GuideRow("cpu-vs-io", "3", "CPU-bound, IO-bound and mixed tasks, in every place where they can run")
{
    private const int Tasks = 8;
    private const int Milliseconds = 100;

    // Like most programs: it waits for data, and then computes with it.
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_mixed", async (WorkInput input, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        var started = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(Milliseconds), TimeProvider.System, ct);
        NumericHandlers.MonteCarloPi(new SamplesInput(input.Samples), ct);
        return new RunSpan(Environment.ProcessId, context.WorkerName, started, Stopwatch.GetTimestamp());
    });

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say(
            $"{Tasks} tasks that wait {Milliseconds} ms, {Tasks} that compute, and {Tasks} that do both in turn, in four places, " +
            "selected by one word: .On(Executor.…)");
        guide.Say($"  {"",-22} {"IO-bound",12} {"CPU-bound",12} {"mixed",12}");
        var io = new Dictionary<TaskPlacement, TimeSpan>();
        var mixed = new Dictionary<TaskPlacement, TimeSpan>();
        foreach (var place in (TaskPlacement[])[
            TaskPlacement.InProcessSequential, TaskPlacement.InProcess, TaskPlacement.InProcessAsync, TaskPlacement.CrossProcess])
        {
            var pool = guide.Pool.WithPlacement(place);
            io[place] = await GuideContext.TimeAsync(async () =>
                await pool.MapAsync<object, int>(
                    "sleep", Enumerable.Repeat(new { ms = Milliseconds }, Tasks), cancellationToken: guide.Token).CountAsync(guide.Token));
            var cpu = await GuideContext.TimeAsync(async () =>
                await pool.MapAsync<WorkInput, RunSpan>("guide_compute", Enumerable.Repeat(new WorkInput(4_000_000), Tasks),
                    cancellationToken: guide.Token).CountAsync(guide.Token));
            mixed[place] = await GuideContext.TimeAsync(async () =>
                await pool.MapAsync<WorkInput, RunSpan>("guide_mixed", Enumerable.Repeat(new WorkInput(1_000_000), Tasks),
                    cancellationToken: guide.Token).CountAsync(guide.Token));
            guide.Say(
                $"  {NameOf(place),-22} {GuideContext.Show(io[place]),12} {GuideContext.Show(cpu),12} " +
                $"{GuideContext.Show(mixed[place]),12}");
        }

        guide.Say("Waiting needs no core, so all can wait at once; computing gains as many times as there are cores, and no more.");
        guide.Say(
            ".NET has no lock around its interpreter, so its threads compute as well as processes do (`orchestrator guide gil` shows " +
            "Python's);");
        guide.Say("what a thread cannot do is be ended, or crash alone.");
        guide.Shows("IO-bound, one after the other: the sum of all waits",
            io[TaskPlacement.InProcessSequential] >= TimeSpan.FromMilliseconds(0.95 * Tasks * Milliseconds));
        guide.Shows(
            "IO-bound, asynchronously: less than half of it", io[TaskPlacement.InProcessAsync] < io[TaskPlacement.InProcessSequential] / 2);
        guide.Shows(
            "IO-bound, in workers: less than half of it too", io[TaskPlacement.CrossProcess] < io[TaskPlacement.InProcessSequential] / 2);
        guide.Shows("mixed, one after the other: every wait is paid for",
            mixed[TaskPlacement.InProcessSequential] >= TimeSpan.FromMilliseconds(0.95 * Tasks * Milliseconds));
        guide.Shows("mixed, in workers: the waits at the same time, the work on several cores: less than half of it",
            mixed[TaskPlacement.CrossProcess] < mixed[TaskPlacement.InProcessSequential] / 2);

        const int Echoes = 2_000;
        var echo = await GuideContext.TimeAsync(async () =>
            await guide.Pool.MapAsync<int, int>("echo", Enumerable.Range(0, Echoes), cancellationToken: guide.Token)
                .CountAsync(guide.Token));
        guide.Say(
            $"{Echoes} tasks that do nothing took {GuideContext.Show(echo / Echoes)} each, there and back: sending pays off for tasks " +
            "much larger than that.");
        guide.Say("`orchestrator bench compare` measures the size from which it pays off.");
    }

    private static string NameOf(TaskPlacement place) => place switch
    {
        TaskPlacement.InProcessSequential => "one after the other",
        TaskPlacement.InProcess => "threads",
        TaskPlacement.InProcessAsync => "async",
        _ => "worker processes",
    };
}
