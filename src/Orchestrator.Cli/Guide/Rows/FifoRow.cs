using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class FifoRow() : GuideRow("fifo", "9.1", "a FIFO queue with task_done and join")
{
    public override async Task RunAsync(GuideContext guide)
    {
        await guide.Client.Contract.CreateQueueAsync(new QueueSpec { Name = guide.Name("jobs"), Kind = QueueKind.Fifo }, guide.Token);
        await using var session = await guide.OpenSessionAsync();
        var queue = session.Queue(guide.Name("jobs"));
        await queue.PutAsync(Payloads.FromText("item1"), cancellationToken: guide.Token);
        await queue.PutAsync(Payloads.FromText("item2"), cancellationToken: guide.Token);
        var first = await queue.GetAsync(guide.Token);
        guide.Shows($"first in, first out: {Payloads.ToJson(first!)}", first!.Json.StringValue == "item1");

        guide.Say("join() waits until task_done() has been called for every item put. An item that was taken is not yet done:");
        guide.Shows("with two items unfinished, join waits", await queue.TryJoinAsync(TimeSpan.FromMilliseconds(20), guide.Token) == 2);
        await queue.MarkDoneAsync(cancellationToken: guide.Token);

        guide.Say(
            "A leased item is done once it is completed, and is redelivered if its consumer dies first: join never waits for a dead " +
            "consumer.");
        var dying = await guide.OpenSessionAsync("dying");
        var lost = await dying.Queue(guide.Name("jobs")).LeaseAsync(cancellationToken: guide.Token);
        await dying.DisposeAsync();
        await using (var again = await queue.LeaseAsync(cancellationToken: guide.Token))
        {
            guide.Shows($"{Payloads.ToJson(again!.Body)} comes a second time, and says so: delivery {again.DeliveryCount}",
                again.Body.Equals(lost!.Body) && again.DeliveryCount == 2);
            await again.CompleteAsync(guide.Token);
        }

        guide.Shows("now join returns", await queue.TryJoinAsync(TimeSpan.FromSeconds(5), guide.Token) == 0);
        try
        {
            await queue.MarkDoneAsync(cancellationToken: guide.Token);
            guide.Shows("task_done once too often is refused", false);
        }
        catch (OrchestratorException exception)
        {
            guide.Shows($"task_done once too often is refused: {exception.Message}", exception.Reason == FailureReason.OverReleased);
        }
    }
}
