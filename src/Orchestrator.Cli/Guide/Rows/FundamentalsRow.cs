using System.Diagnostics;
using Orchestrator.Client.Tasks;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class FundamentalsRow() : GuideRow("fundamentals", "1", "concurrency and parallelism, drawn as they were measured")
{
    private const int Columns = 60;
    private const int Slices = 6;

    // An event loop runs one coroutine at a time, on one core. A worker's lane has several threads, so this semaphore emulates the loop.
    private static readonly SemaphoreSlim Loop = new(1);

    // Computes and waits in turn: while one waits, another computes.
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_slices", async (WorkInput input, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        var slices = new List<RunSpan>();
        for (var i = 0; i < Slices; i++)
        {
            await Loop.WaitAsync(ct);
            var started = Stopwatch.GetTimestamp();
            NumericHandlers.MonteCarloPi(new SamplesInput(input.Samples), ct);
            slices.Add(new RunSpan(Environment.ProcessId, context.WorkerName, started, Stopwatch.GetTimestamp()));
            Loop.Release();
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, ct);
        }

        return slices;
    });

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say(
            "Concurrency: two tasks that compute a little and wait a little, in one worker, as an event loop would run them: they take " +
            "turns.");
        var oneWorker = new MapOptions { Task = new RunOptions { AffinityKey = guide.Name("one") } };
        var turns = await guide.Pool.MapAsync<WorkInput, RunSpan[]>(
            "guide_slices", Enumerable.Repeat(new WorkInput(2_000_000), 2), oneWorker, guide.Token).ToArrayAsync(guide.Token);
        Draw(guide, ["T1", "T2"], turns);
        guide.Shows("both were under way in one process, and never did both compute at the same time",
            turns.SelectMany(task => task).DistinctBy(slice => slice.Pid).Count() == 1 && Whole(turns[0]).Overlaps(Whole(turns[1]))
            && !Pairs([.. turns.SelectMany(task => task)]).Any(pair => pair.First.Overlaps(pair.Second)));

        guide.Say("Tasks that only compute have nothing to wait for. On one worker they run one after the other:");
        var work = Enumerable.Repeat(new WorkInput(8_000_000), 4);
        var alone = await guide.Pool.MapAsync<WorkInput, RunSpan>("guide_compute", work, oneWorker, guide.Token).ToArrayAsync(guide.Token);
        Draw(guide, ["T1", "T2", "T3", "T4"], [.. alone.Select(span => new[] { span })]);
        guide.Shows("never two at the same time", !Pairs(alone).Any(pair => pair.First.Overlaps(pair.Second)));

        guide.Say("Parallelism: the same four tasks on all workers. Each is a process, and the system gives each a core.");
        var parallel = await guide.Pool.MapAsync<WorkInput, RunSpan>("guide_compute", work, cancellationToken: guide.Token)
            .ToArrayAsync(guide.Token);
        var byWorker = parallel.GroupBy(span => span.Worker).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        Draw(guide, [.. byWorker.Select(group => group.Key)], [.. byWorker.Select(group => group.ToArray())]);
        guide.Shows("tasks of different workers ran at the same time", Pairs(parallel).Any(
            pair => pair.First.Pid != pair.Second.Pid && pair.First.Overlaps(pair.Second)));
        var (slow, fast) = (Elapsed(alone), Elapsed(parallel));
        guide.Say(
            $"One worker: {GuideContext.Show(slow)}. {byWorker.Length} workers on {Environment.ProcessorCount} cores: " +
            $"{GuideContext.Show(fast)}, {GuideContext.Ratio(slow, fast)} as fast.");
        if (Environment.ProcessorCount > 1 && slow < 1.5 * fast)
            guide.Say("Each of two cores should do its share: this machine was busy with other programs.");
    }

    /// <summary>A line per task or worker; a full block where it computed.</summary>
    private static void Draw(GuideContext guide, string[] names, RunSpan[][] lines)
    {
        var all = Whole([.. lines.SelectMany(line => line)]);
        var column = Math.Max(1.0, (double)(all.End - all.Start) / Columns);
        foreach (var (name, spans) in names.Zip(lines))
        {
            var cells = Enumerable.Range(0, Columns).Select(i =>
            {
                var cell = all with { Start = all.Start + (long)(i * column), End = all.Start + (long)((i + 1) * column) };
                return spans.Any(span => span.Overlaps(cell)) ? '█' : '░';
            });
            guide.Say($"  {name,-10} {string.Concat(cells)}");
        }

        guide.Say($"  {"",-10} 0{GuideContext.Show(Stopwatch.GetElapsedTime(all.Start, all.End)).PadLeft(Columns - 1)}");
    }

    private static RunSpan Whole(RunSpan[] spans) =>
        spans[0] with { Start = spans.Min(span => span.Start), End = spans.Max(span => span.End) };

    private static TimeSpan Elapsed(RunSpan[] spans) =>
        Stopwatch.GetElapsedTime(spans.Min(span => span.Start), spans.Max(span => span.End));

    private static IEnumerable<(RunSpan First, RunSpan Second)> Pairs(RunSpan[] spans) =>
        spans.SelectMany((first, i) => spans.Skip(i + 1).Select(second => (first, second)));
}
