using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class UnboundedRow()
    : GuideRow("unbounded", "12.1", "without a limit: the effect of sending everything at once on a service")
{
    private const int Requests = 60;
    private const int Capacity = 10;

    // A service with limited concurrency that rejects further requests, like most.
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_fetch", async (FetchInput input, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        await using var served = await context.Semaphore(input.Service, Capacity, bounded: true)
            .TryAcquireAsync(TimeSpan.Zero, cancellationToken: ct);
        if (served is null)
            throw new InvalidOperationException("429 Too Many Requests");
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, ct);
        return 200;
    });

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say($"{Requests} tasks ask a service that serves {Capacity} at once and refuses the others.");
        var (all, refusedOfAll) = await FetchAsync(guide, "all", new RunOptions());
        guide.Shows(
            $"all at once: {refusedOfAll} of {Requests} were refused, {Requests - refusedOfAll} served, in {GuideContext.Show(all)}",
            refusedOfAll > 0);
        var (some, refusedOfSome) = await FetchAsync(
            guide, "some", new RunOptions { ConcurrencyKey = guide.Name("service"), ConcurrencyLimit = Capacity });
        guide.Shows(
            $"with a concurrency key of limit {Capacity}: all {Requests} were served, in {GuideContext.Show(some)}", refusedOfSome == 0);
        guide.Say(
            "The limit is the dispatcher's: the others wait in its queue, over all workers and clients, and cost no thread and no " +
            "connection.");
    }

    private static async Task<(TimeSpan Took, int Refused)> FetchAsync(GuideContext guide, string service, RunOptions options)
    {
        var inputs = Enumerable.Repeat(new FetchInput(guide.Name(service)), Requests).ToAsyncEnumerable();
        TaskOutcome<int>[] outcomes = [];
        var took = await GuideContext.TimeAsync(async () => outcomes = await guide.Pool.MapOutcomesAsync(
            TaskFunction.Json<FetchInput, int>("guide_fetch"), inputs, new MapOptions { Task = options }, guide.Token)
                .ToArrayAsync(guide.Token));
        return (took, outcomes.Count(outcome => !outcome.Succeeded));
    }

    private sealed record FetchInput(string Service);
}
