using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Results;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>A consumer's stream in the client: unsettled items return to the queue, and settled ones are settled once.</summary>
public sealed class ConsumerClientTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Thousands_of_items_are_settled_over_one_stream()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync("consumer");
        var queue = await CreateAsync(client, session);
        await queue.PutAllAsync(Enumerable.Range(0, 5_000).Select(Payloads.FromNumber));
        await client.ShutDownQueueAsync(queue.Name);
        var seen = new List<double>();
        await foreach (var item in queue.LeaseAllAsync(prefetch: 100).WithCancellation(TestContext.Current.CancellationToken))
        {
            await using (item)
            {
                seen.Add(item.Body.Json.NumberValue);
                await item.CompleteAsync();
            }
        }

        Assert.Equal(Enumerable.Range(0, 5_000).Select(i => (double)i), seen);
        // The stream ends only once the coordinator has processed the last settlement.
        Assert.Equal((0, 0), await CountsAsync(client, queue));
    }

    [Fact]
    public async Task A_scope_that_is_left_without_completing_gives_back_what_it_had_and_what_had_come_ahead()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var queue = await CreateAsync(client, session);
        await queue.PutAllAsync(Enumerable.Range(0, 10).Select(Payloads.FromNumber));
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var item in queue.LeaseAllAsync().WithCancellation(TestContext.Current.CancellationToken))
            {
                await using (item)
                {
                    if (item.Body.Json.NumberValue == 3)
                        throw new InvalidOperationException("this one cannot be done now");
                    await item.CompleteAsync();
                }
            }
        });
        Assert.Equal((7, 7), await CountsAsync(client, queue));
        await using var again = await queue.LeaseAsync().WaitAsync(s_patience);
        Assert.Equal((3, 2), (again!.Body.Json.NumberValue, again.DeliveryCount));
    }

    [Fact]
    public async Task No_more_items_are_leased_than_the_consumer_is_ready_for()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var queue = await CreateAsync(client, session);
        await queue.PutAllAsync(Enumerable.Range(0, 10).Select(Payloads.FromNumber));
        await using var consumer = queue.OpenConsumer(prefetch: 3);
        var held = new List<LeasedItem<Payload>>();
        await using var items = consumer.ReadAllAsync(TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        while (held.Count < 3 && await items.MoveNextAsync())
            held.Add(items.Current);
        Assert.Equal(3, (await client.Contract.GetQueueAsync(queue.Name)).LeasedItems);
        var next = items.MoveNextAsync().AsTask();
        Assert.True(await held[0].CompleteAsync());
        Assert.False(await held[0].CompleteAsync());
        Assert.True(await next.WaitAsync(s_patience));
        Assert.Equal(3, items.Current.Body.Json.NumberValue);
    }

    [Fact]
    public async Task An_item_of_the_stream_can_be_extended_and_rejected()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var dead = Unique("dead");
        var queue = await CreateAsync(client, session, dead);
        await queue.PutAsync(Text("a"));
        await queue.PutAsync(Text("b"));
        var seen = "";
        await foreach (var item in queue.LeaseAllAsync(TimeSpan.FromMinutes(1), prefetch: 1)
            .WithCancellation(TestContext.Current.CancellationToken))
        {
            seen += Read(item.Body);
            Assert.True(await item.ExtendAsync(TimeSpan.FromMinutes(2)));
            Assert.True(await item.RejectAsync("no use"));
            // The second item comes only if the first has freed its credit.
            if (seen.Length == 2)
                break;
        }

        Assert.Equal("ab", seen);
        await using var letter = await session.Queue(dead).LeaseAsync().WaitAsync(s_patience);
        Assert.Equal((queue.Name, "rejected: no use"), (letter!.DeadLetter!.Queue, letter.DeadLetter.Reason));
    }

    [Fact]
    public async Task A_reader_that_gives_up_loses_nothing()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        var queue = await CreateAsync(client, session);
        await using var consumer = queue.OpenConsumer();
        using var giveUp = new CancellationTokenSource();
        var waiting = FirstAsync(consumer, giveUp.Token);
        await UntilAsync(async () => (await client.Contract.GetQueueAsync(queue.Name)).WaitingGetters == 1);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await queue.PutAsync(Text("a"));
        await using var item = await FirstAsync(consumer, TestContext.Current.CancellationToken).WaitAsync(s_patience);
        Assert.Equal(("a", 1), (Read(item.Body), item.DeliveryCount));
    }

    [Fact]
    public async Task Its_session_ends_the_stream_and_passes_its_items_on()
    {
        await using var client = await ConnectAsync();
        await using var other = await client.OpenSessionAsync();
        var session = await client.OpenSessionAsync();
        var queue = await CreateAsync(client, session);
        await queue.PutAsync(Text("a"));
        await using var consumer = queue.OpenConsumer(prefetch: 2);
        var first = await FirstAsync(consumer, TestContext.Current.CancellationToken).WaitAsync(s_patience);
        var second = FirstAsync(consumer, TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await client.Contract.GetQueueAsync(queue.Name)).WaitingGetters == 1);
        await shared.Coordinator.CloseSessionAsync(session.Id);
        await Assert.ThrowsAsync<SessionLostException>(() => second.WaitAsync(s_patience));
        await using var again = await other.Queue(queue.Name).LeaseAsync().WaitAsync(s_patience);
        Assert.Equal(2, again!.DeliveryCount);
        await first.DisposeAsync();
        await session.DisposeAsync();
    }

    [Fact]
    public async Task A_missing_queue_is_told_as_such()
    {
        await using var client = await ConnectAsync();
        await using var session = await client.OpenSessionAsync();
        await using var consumer = session.Queue("no-such-queue").OpenConsumer();
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => FirstAsync(consumer, TestContext.Current.CancellationToken));
        Assert.Equal(FailureReason.NotFound, error.Reason);
    }

    private static async Task<LeasedItem<Payload>> FirstAsync(QueueConsumer<Payload> consumer, CancellationToken cancellationToken)
    {
        await foreach (var item in consumer.ReadAllAsync(cancellationToken))
            return item;
        throw new InvalidOperationException("the queue was shut down");
    }

    private static async Task<(long Ready, long Unfinished)> CountsAsync(OrchestratorClient client, SharedQueue<Payload> queue)
    {
        var info = await client.Contract.GetQueueAsync(queue.Name);
        return (info.ReadyItems, info.UnfinishedItems);
    }

    private static async Task<SharedQueue<Payload>> CreateAsync(
        OrchestratorClient client, CoordinationSession session, string deadLetters = "") =>
        session.Queue(
            (await client.Contract.CreateQueueAsync(new QueueSpec { Name = Unique("queue"), DeadLetterQueue = deadLetters })).Spec.Name);

    private Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = shared.Coordinator.DataDirectory });
}
