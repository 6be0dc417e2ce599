using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class ConditionRow() : GuideRow("condition", "8.5", "a condition: release the lock and wait until a predicate holds")
{
    // The guide's consumer: with condition: while not data: condition.wait()
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_consume_one", async (string name, TaskContext context) =>
    {
        var ct = context.CancellationToken;
        await using var hold = await context.Lock(name).AcquireAsync(ct);
        var data = context.List<Payload>(name);
        while ((await data.ReadAsync(cancellationToken: ct)).Count == 0)
            await context.Condition(name, name).WaitAsync(ct);
        return (int)(await data.PopAsync(0, ct)).Json.NumberValue;
    });

    public override async Task RunAsync(GuideContext guide)
    {
        var name = guide.Name("data");
        guide.Say(
            "Two consumers in the workers find an empty list and wait: wait() releases the lock, so that a producer can add an item.");
        TaskHandle<int>[] consumers =
        [
            await guide.Pool.SubmitAsync<int>("guide_consume_one", name, cancellationToken: guide.Token),
            await guide.Pool.SubmitAsync<int>("guide_consume_one", name, cancellationToken: guide.Token),
        ];
        await guide.UntilWaitersAsync($"conditions/{name}", 2);

        await using var producer = await guide.OpenSessionAsync("producer");
        guide.Shows("one notify wakes one of them", await ProduceAsync(1) == 1);
        var first = await TaskHandles.WhenAny(consumers);
        guide.Shows("it holds the lock again, finds the item and takes it", await first == 1);
        guide.Shows("the other waits on: there are no spurious wake-ups", consumers.Count(task => !task.IsCompleted) == 1);
        await ProduceAsync(2);
        guide.Shows("the second item is the other's", (await TaskHandles.WhenAll(consumers)).Order().SequenceEqual([1, 2]));

        try
        {
            await producer.Condition(name, name).NotifyAsync(1, guide.Token);
            guide.Shows("a notify without the lock is refused", false);
        }
        catch (OrchestratorException exception)
        {
            guide.Shows($"a notify without the lock is refused: {exception.Message}", exception.Reason == FailureReason.NotOwner);
        }

        async Task<int> ProduceAsync(int item)
        {
            await using var hold = await producer.Lock(name).AcquireAsync(guide.Token);
            await producer.List(name).AppendAsync(Payloads.FromNumber(item), guide.Token);
            return await producer.Condition(name, name).NotifyAsync(1, guide.Token);
        }
    }
}
