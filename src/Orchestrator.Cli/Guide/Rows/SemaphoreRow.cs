using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class SemaphoreRow() : GuideRow("semaphore", "8.3", "a semaphore: a limit on concurrency, over all processes")
{
    private const int Permits = 3;

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say($"Ten tasks in the worker processes want one of {Permits} permits for 100 ms each.");
        var input = new InsideInput(guide.Name("inside"), 100, Semaphore: guide.Name("database"), Permits: Permits);
        Inside[] inside = [];
        var took = await GuideContext.TimeAsync(async () =>
            inside = await guide.Pool.MapAsync<InsideInput, Inside>(
                "guide_inside", Enumerable.Repeat(input, 10), cancellationToken: guide.Token).ToArrayAsync(guide.Token));
        guide.Say(
            $"All ten took {GuideContext.Show(took)}: four rounds of 100 ms. Inside at each entry: " +
            $"{GuideContext.List(inside.Select(task => task.Count))}.");
        guide.Shows($"at most {Permits} were inside at once", inside.Max(task => task.Count) <= Permits);
        guide.Shows("more than one was: it limits, and does not serialize", inside.Max(task => task.Count) > 1);

        guide.Say("A bounded semaphore, like Python's BoundedSemaphore, rejects an excess release; a session's end releases its permits.");
        await using var session = await guide.OpenSessionAsync();
        var semaphore = session.Semaphore(guide.Name("database"), Permits, bounded: true);
        var one = await semaphore.AcquireAsync(cancellationToken: guide.Token);
        try
        {
            await semaphore.ReleaseAsync(2, guide.Token);
            guide.Shows("a release too many is refused", false);
        }
        catch (OrchestratorException exception)
        {
            guide.Say(exception.Message);
            guide.Shows("a release too many is refused, and changes nothing", exception.Reason == FailureReason.OverReleased);
        }

        await one.DisposeAsync();
        var ended = await guide.OpenSessionAsync("gone");
        await ended.Semaphore(guide.Name("database"), Permits, bounded: true).AcquireAsync(Permits, guide.Token);
        var none = await semaphore.TryAcquireAsync(TimeSpan.Zero, cancellationToken: guide.Token);
        await ended.DisposeAsync();
        await using var all = await semaphore.TryAcquireAsync(TimeSpan.FromSeconds(5), Permits, guide.Token);
        guide.Shows($"a session that ends with {Permits} permits gives them all back", none is null && all is not null);
    }
}
