using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class LivelockRow() : GuideRow("livelock", "7.4", "two polite tasks that step aside for each other for ever")
{
    private const int MaxSteps = 40;

    // Two people in a corridor: both look, both step to the other side, and block each other again.
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_corridor", async (Corridor input, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        var side = 0L;
        var sides = context.Array<long>(input.Name, 2);
        for (var step = 1; step <= MaxSteps; step++)
        {
            await sides.SetAsync(input.Me, side, ct);
            await context.Barrier(input.Name, 2).WaitAsync(ct);
            var other = (await sides.ReadAsync(1 - input.Me, 1, ct))[0];
            await context.Barrier(input.Name, 2).WaitAsync(ct);
            if (other != side)
            {
                await context.Value<long>(input.Name).AddAsync(1, ct);
                return step;
            }

            // The cure: at random, one of them does not step aside.
            side = input.Jitter ? Random.Shared.Next(2) : 1 - side;
        }

        return MaxSteps;
    });

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("Two tasks meet in a corridor, each sees the other on its side, and steps to the other side; so does the other.");
        var (steps, passed, took) = await MeetAsync(guide, "polite", false);
        guide.Say(
            $"After {steps} steps each, in {GuideContext.Show(took)}, they still face each other. A deadlock sleeps; a livelock works, " +
            "and no check of waits can see it.");
        guide.Shows($"the progress counter shows it: {passed} passed", passed == 0 && steps == MaxSteps);
        (steps, passed, took) = await MeetAsync(guide, "random", true);
        guide.Shows($"cured by chance: with a random side at each step both passed, after {steps} steps", passed == 2);
    }

    private static async Task<(int Steps, long Passed, TimeSpan Took)> MeetAsync(GuideContext guide, string name, bool jitter)
    {
        var steps = Array.Empty<int>();
        var took = await GuideContext.TimeAsync(async () => steps = await TaskHandles.WhenAll(
            await guide.Pool.SubmitAsync<int>("guide_corridor", new Corridor(guide.Name(name), 0, jitter), cancellationToken: guide.Token),
            await guide.Pool.SubmitAsync<int>(
                "guide_corridor", new Corridor(guide.Name(name), 1, jitter), cancellationToken: guide.Token)));
        await using var session = await guide.OpenSessionAsync();
        return (steps.Max(), await session.Value(guide.Name(name)).ReadAsync(guide.Token) ?? 0, took);
    }

    private sealed record Corridor(string Name, int Me, bool Jitter);
}
