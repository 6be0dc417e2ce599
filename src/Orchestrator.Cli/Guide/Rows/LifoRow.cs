using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class LifoRow() : GuideRow("lifo", "9.2", "a stack: last in, first out")
{
    public override async Task RunAsync(GuideContext guide)
    {
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = guide.Name("stack"), Kind = QueueKind.Lifo }, guide.Token);
        guide.Say("A task in a worker puts 0, 1, 2, 3 and 4; then another task takes five.");
        await guide.Pool.RunAsync<int>("produce", new { queue = guide.Name("stack"), count = 5 }, cancellationToken: guide.Token);
        var taken = await guide.Pool.RunAsync<int[]>(
            "consume", new { queue = guide.Name("stack"), count = 5 }, cancellationToken: guide.Token);
        guide.Say($"It took {GuideContext.List(taken)}.");
        guide.Shows("the last in is the first out", taken.SequenceEqual([4, 3, 2, 1, 0]));
    }
}
