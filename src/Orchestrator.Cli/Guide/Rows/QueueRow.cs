using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class QueueRow() : GuideRow("queue", "5.3", "a queue between processes")
{
    private const int Items = 5;

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("items");
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = name }, guide.Token);
        guide.Say("One task consumes and another produces. Neither knows the other, nor in which process it runs: they share a name.");
        var consumer = await guide.Pool.SubmitAsync<int[]>("consume", new { queue = name, count = 1_000 }, cancellationToken: guide.Token);
        var producer = await guide.Pool.SubmitAsync<int>("produce", new { queue = name, count = Items }, cancellationToken: guide.Token);
        await producer;
        guide.Say(
            "In Python the producer puts None to say that it is done, once for each consumer. Here the queue is shut down: consumers " +
            "drain it, and then get the end.");
        await guide.Client.ShutDownQueueAsync(name, cancellationToken: guide.Token);
        var taken = await consumer;
        guide.Say(
            $"{(await producer.GetResultAsync()).Worker} put {Items} items, {(await consumer.GetResultAsync()).Worker} took " +
            $"{GuideContext.List(taken)}.");
        guide.Shows(
            "all that was put was taken, in its order, and the consumer ended by itself", taken.SequenceEqual(Enumerable.Range(0, Items)));
        await using var session = await guide.OpenSessionAsync();
        guide.Shows("every item is done: join returns at once", await session.Queue(name).TryJoinAsync(TimeSpan.Zero, guide.Token) == 0);
        try
        {
            await session.Queue(name).PutAsync(Payloads.FromNumber(1), cancellationToken: guide.Token);
            guide.Shows("a late put is refused", false);
        }
        catch (QueueShutDownException exception)
        {
            guide.Shows($"a late put is refused: {exception.Message}", true);
        }
    }
}
