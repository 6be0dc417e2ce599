using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class RLockRow() : GuideRow("rlock", "8.2", "a reentrant lock: its holder may take it again")
{
    private const int Levels = 5;

    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_recurse", (RecurseInput input, TaskContext context) => RecurseAsync(
            context.Session.CreateFlow(), input, context.CancellationToken));

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("tree");
        guide.Say($"A task in a worker takes the same lock at each of {Levels} levels of a recursion.");
        var depth = await guide.Pool.RunAsync<int>(
            "guide_recurse", new RecurseInput(name, Levels, LockMode.Reentrant), cancellationToken: guide.Token);
        guide.Shows($"a reentrant lock counts: its holder had it {depth} deep", depth == Levels);

        await using var session = await guide.OpenSessionAsync();
        await using (var hold = await session.Lock(name).TryAcquireAsync(TimeSpan.Zero, guide.Token))
            guide.Shows("released the same number of times, it is free for others", hold is not null);

        guide.Say(
            "With a plain lock the second acquire would wait for its own caller for ever. Python hangs there. Here the task names its " +
            "flow of work (CreateFlow), and gets an error.");
        try
        {
            await guide.Pool.RunAsync<int>(
                "guide_recurse", new RecurseInput(guide.Name("plain"), 2, LockMode.Plain), cancellationToken: guide.Token);
            guide.Shows("a plain lock refuses", false);
        }
        catch (TaskFailedException exception)
        {
            guide.Say(exception.RemoteMessage);
            guide.Shows("a plain lock taken twice is reported as a deadlock of one", exception.RemoteType.EndsWith(
                nameof(DeadlockException), StringComparison.Ordinal));
        }
    }

    private static async Task<int> RecurseAsync(SessionFlow flow, RecurseInput input, CancellationToken cancellationToken)
    {
        await using var hold = await flow.Lock(input.Lock, input.Mode).AcquireAsync(cancellationToken);
        return input.Levels == 1 ? hold.Depth : await RecurseAsync(flow, input with { Levels = input.Levels - 1 }, cancellationToken);
    }

    private sealed record RecurseInput(string Lock, int Levels, LockMode Mode);
}
