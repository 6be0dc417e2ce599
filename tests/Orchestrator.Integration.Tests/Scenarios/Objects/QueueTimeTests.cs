using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>The effects of time on a queue. What must not happen yet has an hour; what must happen is awaited.</summary>
public sealed class QueueTimeTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const double Hour = 3_600;

    private readonly QueueService.QueueServiceClient _queues = new(shared.Coordinator.Invoker);

    [Theory]
    [InlineData(false, "new")]
    [InlineData(true, "old")]
    public async Task A_waiting_item_improves_by_one_priority_per_aging(bool ages, string first)
    {
        var queue = await CreateAsync(spec =>
        {
            spec.Kind = QueueKind.Priority;
            if (ages)
                spec.Aging = Specs.Seconds(0.001);
        });
        await PutAsync(queue, "old", priority: 50);
        // Both age together: the older item keeps the lead over the newer one, measured by the service itself.
        await UntilAsync(async () => (await InfoAsync(queue)).OldestAge.ToTimeSpan() > TimeSpan.FromMilliseconds(60));
        await PutAsync(queue, "new", priority: 0);
        Assert.Equal(first, Read((await GetAsync(queue)).Items.Single().Body));
    }

    [Fact]
    public async Task An_item_returned_with_a_delay_is_out_of_sight_until_then()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "a");
        await PutAsync(queue, "b");
        await SettleAsync(queue, (await GetAsync(queue, leased: true)).Items.Single(), Settlement.Return, Hour);
        var info = await InfoAsync(queue);
        Assert.Equal((1, 1, 0, 2), (info.DelayedItems, info.ReadyItems, info.LeasedItems, info.UnfinishedItems));
        // Without the delay "a" would come first.
        var other = (await GetAsync(queue, leased: true)).Items.Single();
        Assert.Equal(("b", 1), (Read(other.Body), other.Delivery));
        await SettleAsync(queue, other, Settlement.Return, 0.02);
        var again = (await GetAsync(queue, leased: true)).Items.Single();
        Assert.Equal(("b", 2), (Read(again.Body), again.Delivery));
    }

    [Fact]
    public async Task An_extended_lease_ends_when_the_extension_says()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "longer");
        QueueItem longer;
        do
            longer = (await GetAsync(queue, leased: true, lease: 0.5)).Items.Single();
        while ((await SettleAsync(queue, longer, Settlement.Extend, Hour)).Settled == 0);
        // A lease of the same length, begun later: once this one has ended, the other would have ended too.
        await PutAsync(queue, "witness");
        await GetAsync(queue, leased: true, lease: 0.5);
        var back = (await GetAsync(queue, leased: true)).Items.Single();
        Assert.Equal(("witness", 2), (Read(back.Body), back.Delivery));
        await SettleAsync(queue, back, Settlement.Done);
        // And shorter than the hour.
        Assert.Equal(1, (await SettleAsync(queue, longer, Settlement.Extend, 0.02)).Settled);
        Assert.Equal("longer", Read((await GetAsync(queue, leased: true)).Items.Single().Body));
        Assert.Equal(longer.LeaseId, (await SettleAsync(queue, longer, Settlement.Extend, Hour)).StaleLeaseIds.Single());
        await RefusesAsync(
            _queues.SettleAsync(new SettleRequest { Queue = queue, LeaseIds = { longer.LeaseId }, Settlement = Settlement.Extend }, Soon),
            StatusCode.InvalidArgument,
            "INVALID",
            "EXTEND needs a duration");
    }

    [Fact]
    public async Task An_idle_queue_disappears_and_one_with_items_stays()
    {
        // Long enough for the next put, on a slow machine too.
        var kept = await CreateAsync(spec => spec.IdleTtl = Specs.Seconds(1));
        await _queues.PutAsync(
            new PutRequest { Queue = kept, Items = { new QueueItem { Body = Text("a") } }, Timeout = Specs.Seconds(0) }, Soon);
        var idle = await CreateAsync(spec => spec.IdleTtl = Specs.Seconds(0.05));
        await UntilRemovedAsync(idle);
        Assert.Equal("a", Read((await GetAsync(kept)).Items.Single().Body));
        await UntilRemovedAsync(kept);
        await RefusesAsync(_queues.GetAsync(new GetRequest { Queue = kept }, Soon), StatusCode.NotFound, "NOT_FOUND", kept);
    }

    private Task UntilRemovedAsync(string queue) => UntilAsync(async () =>
    {
        var token = "";
        do
        {
            var page = await _queues.ListQueuesAsync(new ListQueuesRequest { PageSize = 1_000, PageToken = token }, Soon);
            if (page.Queues.Any(item => item.Spec.Name == queue))
                return false;
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return true;
    });

    private async Task<string> CreateAsync(Action<QueueSpec>? configure = null)
    {
        var spec = new QueueSpec { Name = Unique("queue"), Kind = QueueKind.Fifo };
        configure?.Invoke(spec);
        return (await _queues.CreateQueueAsync(new CreateQueueRequest { Spec = spec }, Soon)).Queue.Spec.Name;
    }

    private async Task PutAsync(string queue, string item, long priority = 0) =>
        await _queues.PutAsync(
            new PutRequest { Queue = queue, Items = { new QueueItem { Body = Text(item), Priority = priority } } }, Soon);

    private async Task<GetResponse> GetAsync(string queue, bool leased = false, double lease = Hour) => await _queues.GetAsync(
        new GetRequest { Queue = queue, Leased = leased, Lease = leased ? Specs.Seconds(lease) : null }, Soon);

    private async Task<SettleResponse> SettleAsync(string queue, QueueItem item, Settlement settlement, double? duration = null) =>
        await _queues.SettleAsync(
        new SettleRequest
        {
            Queue = queue,
            LeaseIds = { item.LeaseId },
            Settlement = settlement,
            Duration = duration is { } seconds ? Specs.Seconds(seconds) : null,
        },
        Soon);

    private async Task<QueueInfo> InfoAsync(string queue) =>
        (await _queues.GetQueueAsync(new GetQueueRequest { Queue = queue }, Soon)).Queue;
}
