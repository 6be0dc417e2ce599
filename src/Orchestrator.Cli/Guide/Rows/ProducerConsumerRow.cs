using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class ProducerConsumerRow() : GuideRow("producer-consumer", "10.2", "several producers and consumers, and how they end")
{
    private const int Producers = 2;
    private const int Consumers = 3;
    private const int Items = 300;
    private const int Bound = 50;

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("work");
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = name, MaxItems = Bound }, guide.Token);
        guide.Say(
            $"{Producers} producers put {Items} items each into a queue that holds {Bound}; {Consumers} consumers take them. A producer " +
            "that is too fast waits.");
        var consumers = new List<TaskHandle<int[]>>();
        var took = await GuideContext.TimeAsync(async () =>
        {
            for (var i = 0; i < Consumers; i++)
                consumers.Add(
                    await guide.Pool.SubmitAsync<int[]>("consume", new { queue = name, count = 10_000 }, cancellationToken: guide.Token));
            var input = new { queue = name, count = Items };
            await guide.Pool.MapAsync<object, int>("produce", Enumerable.Repeat(input, Producers), cancellationToken: guide.Token)
                .CountAsync(guide.Token);
            // Once for all consumers, known or not: no sentinel per consumer, so none can be missing.
            await guide.Client.ShutDownQueueAsync(name, cancellationToken: guide.Token);
            await TaskHandles.WhenAll(consumers);
        });
        var taken = await TaskHandles.WhenAll(consumers);
        foreach (var (consumer, items) in consumers.Zip(taken))
            guide.Say($"  consumer in {(await consumer.GetResultAsync()).Worker}: {items.Length} items");
        guide.Shows($"all {Producers * Items} items in {GuideContext.Show(took)}, each taken once",
            taken.SelectMany(items => items).CountBy(item => item).OrderBy(pair => pair.Key).SequenceEqual(
                Enumerable.Range(0, Items).Select(i => KeyValuePair.Create(i, Producers))));
        guide.Shows(
            "all consumers ended by themselves when the queue was shut down and empty", consumers.All(consumer => consumer.IsCompleted));
        var queue = await guide.Client.Contract.GetQueueAsync(name, guide.Token);
        guide.Shows("nothing is left, and nothing is unfinished", queue is { ReadyItems: 0, LeasedItems: 0, UnfinishedItems: 0 });
    }
}
