using Grpc.Core;
using Orchestrator.Protocol;
using Orchestrator.TestKit;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Queues through a coordinator: one test per guarantee.</summary>
public sealed class QueueTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;
    private readonly QueueService.QueueServiceClient _queues = new(shared.Coordinator.Invoker);

    [Theory]
    [InlineData(QueueKind.Fifo, "a b c")]
    [InlineData(QueueKind.Lifo, "c b a")]
    [InlineData(QueueKind.Priority, "b a c")]
    public async Task Get_follows_the_kind(QueueKind kind, string order)
    {
        var queue = await CreateAsync(spec => spec.Kind = kind);
        await _queues.PutAsync(new PutRequest { Queue = queue, Items = { Item("a", 5), Item("b", 1), Item("c", 5) } }, Soon);
        var items = await GetAsync(queue, max: 3);
        Assert.Equal(order.Split(' '), items.Select(item => Read(item.Body)));
    }

    [Fact]
    public async Task Put_takes_as_many_as_fit_and_says_how_many()
    {
        var queue = await CreateAsync(spec => spec.MaxItems = 2);
        var put = await _queues.PutAsync(
            new PutRequest { Queue = queue, Items = { Item("a"), Item("b"), Item("c") }, Timeout = Specs.Seconds(0) }, Soon);
        Assert.Equal((WaitStatus.Timeout, 2), (put.Status, put.Accepted));
    }

    [Fact]
    public async Task Put_blocks_while_full_and_get_while_empty()
    {
        var queue = await CreateAsync(spec => spec.MaxItems = 1);
        var get = _queues.GetAsync(new GetRequest { Queue = queue }, Soon);
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingGetters == 1);
        var put = _queues.PutAsync(new PutRequest { Queue = queue, Items = { Item("a"), Item("b"), Item("c") } }, Soon);
        Assert.Equal("a", Read((await get).Items.Single().Body));
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingPutters == 1);
        Assert.Equal("b", Read((await GetAsync(queue)).Single().Body));
        Assert.Equal(3, (await put).Accepted);
    }

    [Fact]
    public async Task Put_blocks_while_its_bytes_do_not_fit()
    {
        var queue = await CreateAsync(spec => spec.MaxBytes = 1_000);
        static QueueItem Large() => new() { Body = new Payload { Data = Google.Protobuf.ByteString.CopyFrom(new byte[400]) } };
        var tried = await _queues.PutAsync(
            new PutRequest { Queue = queue, Items = { Large(), Large(), Large() }, Timeout = Specs.Seconds(0) }, Soon);
        Assert.Equal((WaitStatus.Timeout, 2), (tried.Status, tried.Accepted));
        var put = _queues.PutAsync(new PutRequest { Queue = queue, Items = { Large() } }, Soon);
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingPutters == 1);
        await GetAsync(queue);
        Assert.Equal((WaitStatus.Ok, 1), ((await put).Status, (await put).Accepted));
        Assert.Equal(2, (await InfoAsync(queue)).ReadyItems);
    }

    [Fact]
    public async Task An_empty_queue_is_a_timeout_and_no_error()
    {
        var queue = await CreateAsync();
        Assert.Equal(
            WaitStatus.Timeout, (await _queues.GetAsync(new GetRequest { Queue = queue, Timeout = Specs.Seconds(0) }, Soon)).Status);
        Assert.Equal(
            WaitStatus.Timeout, (await _queues.GetAsync(new GetRequest { Queue = queue, Timeout = Specs.Seconds(0.05) }, Soon)).Status);
    }

    [Fact]
    public async Task The_unfinished_count_cannot_fall_below_zero()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "a");
        await GetAsync(queue);
        Assert.Equal(0, (await _queues.MarkDoneAsync(new MarkDoneRequest { Queue = queue }, Soon)).UnfinishedItems);
        await RefusesAsync(
            _queues.MarkDoneAsync(new MarkDoneRequest { Queue = queue }, Soon), StatusCode.FailedPrecondition, "OVER_RELEASED");
    }

    [Fact]
    public async Task Join_waits_for_what_a_dead_consumer_had_leased()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "a");
        var session = await _coordinator.OpenSessionAsync();
        await _queues.GetAsync(new GetRequest { Queue = queue, Leased = true, SessionId = session }, Soon);
        Assert.Equal(1, (await _queues.JoinAsync(new JoinRequest { Queue = queue, Timeout = Specs.Seconds(0) }, Soon)).UnfinishedItems);
        var join = _queues.JoinAsync(new JoinRequest { Queue = queue }, Soon);
        await _coordinator.CloseSessionAsync(session);
        var again = (await GetAsync(queue, leased: true)).Single();
        Assert.Equal(2, again.Delivery);
        await SettleAsync(queue, Settlement.Done, again);
        Assert.Equal((WaitStatus.Ok, 0), ((await join).Status, (await join).UnfinishedItems));
    }

    [Fact]
    public async Task Shutdown_lets_gets_drain_and_wakes_putters()
    {
        var queue = await CreateAsync(spec => spec.MaxItems = 1);
        await PutAsync(queue, "a");
        var blocked = _queues.PutAsync(new PutRequest { Queue = queue, Items = { Item("b") } }, Soon);
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingPutters == 1);
        await _queues.ShutDownQueueAsync(new ShutDownQueueRequest { Queue = queue }, Soon);
        Assert.Equal(WaitStatus.ShutDown, (await blocked).Status);
        Assert.Equal(WaitStatus.ShutDown, (await _queues.PutAsync(new PutRequest { Queue = queue, Items = { Item("c") } }, Soon)).Status);
        Assert.Equal("a", Read((await GetAsync(queue)).Single().Body));
        Assert.Equal(WaitStatus.ShutDown, (await _queues.GetAsync(new GetRequest { Queue = queue }, Soon)).Status);
    }

    [Fact]
    public async Task Immediate_shutdown_drops_what_is_ready()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "a", "b", "c");
        var leased = (await GetAsync(queue, leased: true)).Single();
        Assert.Equal(
            2, (await _queues.ShutDownQueueAsync(new ShutDownQueueRequest { Queue = queue, Immediate = true }, Soon)).DroppedItems);
        Assert.Equal((1, 2), ((await InfoAsync(queue)).UnfinishedItems, (await InfoAsync(queue)).DroppedItems));
        await SettleAsync(queue, Settlement.Done, leased);
        Assert.Equal(WaitStatus.Ok, (await _queues.JoinAsync(new JoinRequest { Queue = queue }, Soon)).Status);
    }

    [Fact]
    public async Task A_returned_item_comes_to_the_front_and_too_many_deliveries_to_the_dead_letters()
    {
        var dead = Unique("dead");
        var queue = await CreateAsync(spec => (spec.MaxDeliveries, spec.DeadLetterQueue) = (2, dead));
        await PutAsync(queue, "a", "b");
        var first = (await GetAsync(queue, leased: true)).Single();
        await SettleAsync(queue, Settlement.Return, first);
        var second = (await GetAsync(queue, leased: true)).Single();
        Assert.Equal(("a", 2), (Read(second.Body), second.Delivery));
        await SettleAsync(queue, Settlement.Return, second);
        var letter = (await GetAsync(dead)).Single();
        Assert.Equal(("a", queue, 2), (Read(letter.Body), letter.DeadLetter.Queue, letter.DeadLetter.Deliveries));
        Assert.Equal(1, (await InfoAsync(queue)).DeadLetteredItems);
    }

    [Fact]
    public async Task A_rejected_item_names_its_reason_in_the_dead_letters()
    {
        var dead = Unique("dead");
        var queue = await CreateAsync(spec => spec.DeadLetterQueue = dead);
        await PutAsync(queue, "a");
        var item = (await GetAsync(queue, leased: true)).Single();
        await _queues.SettleAsync(new SettleRequest
        {
            Queue = queue,
            LeaseIds = { item.LeaseId },
            Settlement = Settlement.Reject,
            Reason = "no such order"
        }, Soon);
        Assert.Contains("no such order", (await GetAsync(dead)).Single().DeadLetter.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_settlement_after_the_lease_is_stale_and_changes_nothing()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "a");
        var get = await _queues.GetAsync(new GetRequest { Queue = queue, Leased = true, Lease = Specs.Seconds(0.02) }, Soon);
        var again = (await GetAsync(queue, leased: true)).Single();
        Assert.Equal(2, again.Delivery);
        var late = await SettleAsync(queue, Settlement.Done, get.Items.Single());
        Assert.Equal((get.Items.Single().LeaseId, 0), (late.StaleLeaseIds.Single(), late.Settled));
        Assert.Equal(1, (await InfoAsync(queue)).LeasedItems);
    }

    [Fact]
    public async Task A_getter_that_goes_takes_nothing()
    {
        var queue = await CreateAsync();
        using var gone = new CancellationTokenSource();
        var get = _queues.GetAsync(new GetRequest { Queue = queue }, cancellationToken: gone.Token);
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingGetters == 1);
        await gone.CancelAsync();
        await FailsAsync(get);
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingGetters == 0);
        await PutAsync(queue, "a");
        Assert.Equal("a", Read((await GetAsync(queue)).Single().Body));
    }

    [Fact]
    public async Task A_put_that_is_sent_again_is_done_once()
    {
        var queue = await CreateAsync();
        var put = new PutRequest { Queue = queue, Items = { Item("a") }, RequestId = Unique("put") };
        await _queues.PutAsync(put, Soon);
        Assert.Equal(1, (await _queues.PutAsync(put, Soon)).Accepted);
        Assert.Equal(1, (await InfoAsync(queue)).ReadyItems);
    }

    [Fact]
    public async Task Bounds_have_defaults()
    {
        var spec = (await InfoAsync(await CreateAsync())).Spec;
        Assert.Equal((10_000, 64L << 20), (spec.MaxItems, spec.MaxBytes));
        var page = await _queues.ListQueuesAsync(new ListQueuesRequest { PageSize = 1 }, Soon);
        Assert.Single(page.Queues);
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        var queue = await CreateAsync();
        await RefusesAsync(_queues.PutAsync(
            new PutRequest { Queue = "nowhere", Items = { Item("a") } }, Soon), StatusCode.NotFound, "NOT_FOUND", "nowhere");
        await RefusesAsync(
            _queues.GetQueueAsync(new GetQueueRequest { Queue = "nowhere" }, Soon), StatusCode.NotFound, "NOT_FOUND", "nowhere");
        await RefusesAsync(_queues.PutAsync(new PutRequest { Queue = queue }, Soon), StatusCode.InvalidArgument, "INVALID", "items");
        await RefusesAsync(
            _queues.GetAsync(new GetRequest { Queue = queue, MaxItems = -1 }, Soon), StatusCode.InvalidArgument, "INVALID", "-1");
        await RefusesAsync(_queues.GetAsync(
            new GetRequest { Queue = queue, Timeout = Specs.Seconds(-2) }, Soon), StatusCode.InvalidArgument, "INVALID", "-2");
        await RefusesAsync(
            _queues.MarkDoneAsync(new MarkDoneRequest { Queue = queue, Count = -3 }, Soon), StatusCode.InvalidArgument, "INVALID", "-3");
        await RefusesAsync(
            _queues.ListQueuesAsync(new ListQueuesRequest { PageSize = -4 }, Soon), StatusCode.InvalidArgument, "INVALID", "-4");
        await RefusesAsync(Create(new QueueSpec { Name = new string('n', 129) }), StatusCode.InvalidArgument, "INVALID", "128");
        await RefusesAsync(Create(new QueueSpec { Name = queue, Kind = (QueueKind)99 }), StatusCode.InvalidArgument, "INVALID", "kind");
        await RefusesAsync(Create(new QueueSpec { Name = queue, Kind = QueueKind.Lifo }), StatusCode.FailedPrecondition, "KIND_MISMATCH");
        await RefusesAsync(
            Create(new QueueSpec { Name = queue, Durability = Durability.Disk }), StatusCode.FailedPrecondition, "KIND_MISMATCH");
        var tooMuch = Google.Protobuf.ByteString.CopyFrom(new byte[ProtocolConstants.DefaultPayloadBytes + 1]);
        var large = new QueueItem { Body = new Payload { Data = tooMuch } };
        await RefusesAsync(
            _queues.PutAsync(new PutRequest { Queue = queue, Items = { Item("a"), large } }, Soon), StatusCode.ResourceExhausted,
            "LIMIT_EXCEEDED", "items[1].body");
        Assert.Equal(0, (await InfoAsync(queue)).UnfinishedItems);
    }

    [Fact]
    public async Task A_producer_feels_a_full_queue_and_a_consumer_gets_what_it_has_credits_for()
    {
        var queue = await CreateAsync(spec => spec.MaxItems = 2);
        using var produce = _queues.Produce(Soon);
        for (var i = 0; i < 3; i++)
            await produce.RequestStream.WriteAsync(
                new ProduceRequest { Queue = i == 0 ? queue : "", Items = { Item($"{i}a"), Item($"{i}b") } });
        await produce.RequestStream.CompleteAsync();
        Assert.True(await produce.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(2, produce.ResponseStream.Current.AcceptedTotal);
        await UntilAsync(async () => (await InfoAsync(queue)).WaitingPutters == 1);

        using var consume = _queues.Consume(Soon);
        await consume.RequestStream.WriteAsync(new ConsumeRequest { Queue = queue, Leased = true, Credits = 3 });
        var items = await TakeAsync(consume, 2);
        Assert.Equal(["0a", "0b"], items.Select(item => Read(item.Body)));
        // Leased items count against the bound, so the one credit left is used by the returned item.
        await consume.RequestStream.WriteAsync(new ConsumeRequest { ReturnLeaseIds = { items[1].LeaseId } });
        var back = (await TakeAsync(consume, 1)).Single();
        Assert.Equal(("0b", 2), (Read(back.Body), back.Delivery));
        await consume.RequestStream.WriteAsync(new ConsumeRequest { DoneLeaseIds = { items[0].LeaseId, back.LeaseId }, Credits = 4 });
        Assert.Equal("1a", Read((await TakeAsync(consume, 1))[0].Body));
        // The end of the stream returns the leased items.
        await consume.RequestStream.CompleteAsync();
        while (await consume.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
        }

        Assert.Equal(0, (await InfoAsync(queue)).LeasedItems);
    }

    [Fact]
    public async Task A_consumer_that_is_cancelled_gives_back_and_one_at_the_end_is_told_of_the_shutdown()
    {
        var queue = await CreateAsync();
        await PutAsync(queue, "a");
        var consume = _queues.Consume(Soon);
        await consume.RequestStream.WriteAsync(new ConsumeRequest { Queue = queue, Leased = true, Credits = 10 });
        await TakeAsync(consume, 1);
        consume.Dispose();
        await UntilAsync(async () => (await InfoAsync(queue)) is { LeasedItems: 0, ReadyItems: 1, WaitingGetters: 0 });
        await _queues.ShutDownQueueAsync(new ShutDownQueueRequest { Queue = queue }, Soon);
        using var last = _queues.Consume(Soon);
        await last.RequestStream.WriteAsync(new ConsumeRequest { Queue = queue, Credits = 10 });
        await TakeAsync(last, 1);
        Assert.True(await last.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(WaitStatus.ShutDown, last.ResponseStream.Current.Status);
    }

    private static QueueItem Item(string text, long priority = 0) => new() { Body = Text(text), Priority = priority };

    private static async Task<List<QueueItem>> TakeAsync(AsyncDuplexStreamingCall<ConsumeRequest, ConsumeResponse> call, int count)
    {
        var items = new List<QueueItem>();
        while (items.Count < count && await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            items.AddRange(call.ResponseStream.Current.Items);
        return items;
    }

    private AsyncUnaryCall<CreateQueueResponse> Create(QueueSpec spec) =>
        _queues.CreateQueueAsync(new CreateQueueRequest { Spec = spec }, Soon);

    private async Task<string> CreateAsync(Action<QueueSpec>? configure = null)
    {
        var spec = new QueueSpec { Name = Unique("queue"), Kind = QueueKind.Fifo };
        configure?.Invoke(spec);
        return (await Create(spec)).Queue.Spec.Name;
    }

    private async Task PutAsync(string queue, params string[] items) =>
        await _queues.PutAsync(new PutRequest { Queue = queue, Items = { items.Select(item => Item(item)) } }, Soon);

    private async Task<IReadOnlyList<QueueItem>> GetAsync(string queue, int max = 1, bool leased = false) =>
        (await _queues.GetAsync(new GetRequest { Queue = queue, MaxItems = max, Leased = leased }, Soon)).Items;

    private async Task<SettleResponse> SettleAsync(string queue, Settlement settlement, QueueItem item) =>
        await _queues.SettleAsync(new SettleRequest { Queue = queue, LeaseIds = { item.LeaseId }, Settlement = settlement }, Soon);

    private async Task<QueueInfo> InfoAsync(string queue) =>
        (await _queues.GetQueueAsync(new GetQueueRequest { Queue = queue }, Soon)).Queue;
}
