using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class RaceRow() : GuideRow("race", "7.1", "a race condition: lost increments, and three cures")
{
    private const int Tasks = 4;
    private const int Times = 100;

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say($"{Tasks} tasks in the workers add 1 to one entry of a shared dict, {Times} times each: {Tasks * Times} is right.");
        guide.Say(
            "Reading and then writing are two steps. Between them another task reads the same number, and one of both increments is lost:");
        var (lossy, _) = await CountAsync(guide, "none");
        guide.Shows($"without protection: {lossy}, {(Tasks * Times) - lossy} increments lost", lossy < Tasks * Times);
        await CureAsync(guide, "lock", "under a lock: one at a time, three round trips each");
        await CureAsync(guide, "add", "as one atomic add: one step, so nothing comes between");
        await CureAsync(guide, "guard", "as an update that is refused if another was faster, and retried");
    }

    private static async Task CureAsync(GuideContext guide, string protection, string how)
    {
        var (count, took) = await CountAsync(guide, protection);
        guide.Shows($"{how}: {count} in {GuideContext.Show(took)}", count == Tasks * Times);
    }

    private static async Task<(long Count, TimeSpan Took)> CountAsync(GuideContext guide, string protection)
    {
        var input = new { dict = guide.Name(protection), key = "count", times = Times, protection };
        var took = await GuideContext.TimeAsync(async () =>
            await guide.Pool.MapAsync<object, double>("increment", Enumerable.Repeat(input, Tasks), cancellationToken: guide.Token)
                .CountAsync(guide.Token));
        await using var session = await guide.OpenSessionAsync();
        return ((long)(await session.Dict(guide.Name(protection)).GetAsync("count", guide.Token))!.Json.NumberValue, took);
    }
}
