using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class LimitRow()
    : GuideRow("limit", "6.4, 12.1", "limited concurrency: by a key on the tasks, or by a semaphore inside them")
{
    private const int Limit = 3;
    private const int Tasks = 10;

    public override async Task RunAsync(GuideContext guide)
    {
        await RunAsync(guide, "without a limit", new InsideInput(guide.Name("free"), 300), new RunOptions(), most => most > Limit,
            $"more than {Limit} at once");
        // The dispatcher holds the others back: they wait in the queue, not in a worker.
        await RunAsync(guide, $"with a concurrency key of limit {Limit}", new InsideInput(guide.Name("key"), 150),
            new RunOptions { ConcurrencyKey = guide.Name("api"), ConcurrencyLimit = Limit }, most => most is > 1 and <= Limit,
            $"at most {Limit} at once, by the dispatcher");
        // All start and wait inside the handler: for a limit on a part of the work.
        await RunAsync(guide, $"with a semaphore of {Limit} permits", new InsideInput(
            guide.Name("semaphore"), 150, Semaphore: guide.Name("api"), Permits: Limit),
            new RunOptions(), most => most is > 1 and <= Limit, $"at most {Limit} at once, by the semaphore");
    }

    private static async Task RunAsync(
        GuideContext guide, string how, InsideInput input, RunOptions options, Func<long, bool> isRight, string claim)
    {
        Inside[] inside = [];
        var took = await GuideContext.TimeAsync(async () => inside = await guide.Pool.MapAsync<InsideInput, Inside>(
            "guide_inside", Enumerable.Repeat(input, Tasks), new MapOptions { Task = options }, guide.Token).ToArrayAsync(guide.Token));
        var most = inside.Max(one => one.Count);
        guide.Say($"{Tasks} tasks of {input.Ms} ms {how}: {GuideContext.Show(took)}, {most} at once at most.");
        guide.Shows($"{how}: {claim}", isRight(most));
    }
}
