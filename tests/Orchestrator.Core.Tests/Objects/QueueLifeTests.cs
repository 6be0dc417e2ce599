using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>How queues are created, shut down, deleted and described.</summary>
public sealed class QueueLifeTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ObjectHarness _harness = new();

    [Fact]
    public void Creating_again_with_equal_parameters_is_the_existing_one_with_others_a_mismatch()
    {
        var spec = new QueueSpec("q", QueueKind.Fifo) { MaxDeliveries = 3, DeadLetterQueue = "dead" };
        var info = _harness.CreateQueue(spec);
        Assert.Equal((10_000L, 64L << 20), (info.Spec.MaxItems, info.Spec.MaxBytes));
        _harness.Put("q", 1);
        Assert.Equal(1, _harness.CreateQueue(spec with { MaxItems = 10_000 }).ReadyItems);
        foreach (var other in new[] { spec with { Kind = QueueKind.Lifo }, spec with { MaxItems = 5 }, spec with { MaxDeliveries = 0 },
            spec with { IdleTtl = Second } })
            Assert.Equal("spec", _harness.Apply(new CreateQueue(other)).Fails(ObjectErrorReason.KindMismatch).Field);
    }

    [Fact]
    public void Bad_specs_are_refused_with_what_would_be_right()
    {
        var spec = new QueueSpec("q", QueueKind.Fifo);
        foreach (var (field, bad) in new (string, QueueSpec)[]
        {
            ("spec.name", spec with { Name = "a b" }), ("spec.kind", spec with { Kind = 0 }),
            ("spec.max_items", spec with { MaxItems = -1 }),
            ("spec.max_items", spec with { MaxItems = long.MaxValue }), ("spec.max_bytes", spec with { MaxBytes = -1 }),
            ("spec.durability", spec with { Durability = 0 }),
            ("spec.max_deliveries", spec with { MaxDeliveries = -1 }), ("spec.dead_letter_queue", spec with { DeadLetterQueue = "q" }),
            ("spec.dead_letter_queue", spec with { DeadLetterQueue = "ä" }), ("spec.aging", spec with { Aging = Second }),
            ("spec.aging", spec with { Kind = QueueKind.Priority, Aging = -Second }), ("spec.idle_ttl", spec with { IdleTtl = -Second }),
        })
        {
            Assert.Equal(field, _harness.Apply(new CreateQueue(bad)).Fails(ObjectErrorReason.Invalid).Field);
        }

        Assert.Equal(0, _harness.View.ObjectCount);
        new ObjectHarness(new ObjectEngineOptions { MaxObjects = 0 }).Apply(new CreateQueue(spec)).Fails(ObjectErrorReason.LimitExceeded);
    }

    [Fact]
    public void A_queue_that_is_not_there_is_not_found()
    {
        Assert.Contains("CreateQueue", _harness.Put("q", 1).Fails(ObjectErrorReason.NotFound).Message, StringComparison.Ordinal);
        _harness.Get("q").Fails(ObjectErrorReason.NotFound);
        _harness.Join("q").Fails(ObjectErrorReason.NotFound);
        _harness.Get("a b").Fails(ObjectErrorReason.Invalid);
        _harness.Apply(new MarkItemsDone("q")).Fails(ObjectErrorReason.NotFound);
        _harness.Apply(new ShutDownQueue("q")).Fails(ObjectErrorReason.NotFound);
        _harness.Apply(new DeleteQueue("q")).Fails(ObjectErrorReason.NotFound);
        Assert.Null(_harness.View.FindQueue("q", _harness.Now));
    }

    [Fact]
    public void After_a_shutdown_puts_end_at_once_and_gets_drain_first()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 2 });
        var session = _harness.Session();
        var put = _harness.Put("q", 1, 2, 3);
        var join = _harness.Join("q");
        Assert.Equal(0, _harness.Apply(new ShutDownQueue("q")).Get<ShutDownQueueOutcome>().Dropped);
        Assert.Equal(new PutOutcome(WaitStatus.ShutDown, 2), put.Outcome);
        Assert.Equal(new PutOutcome(WaitStatus.ShutDown, 0), _harness.Put("q", 4).Outcome);
        Assert.True(_harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 2 }).IsShutDown);
        var leased = _harness.Lease(session, "q");
        Assert.Equal([2], _harness.Get("q", 9).Numbers());
        Assert.Equal(WaitStatus.ShutDown, _harness.Get("q").Get<GetOutcome>().Status);
        // Join still counts, and returned items can still be taken.
        _harness.End(session);
        var last = _harness.Lease(null, "q");
        Assert.Equal([1], last.Numbers());
        _harness.Settle("q", Settlement.Done, last.Leases());
        Assert.False(join.HasOutcome);
        _harness.Apply(new MarkItemsDone("q"));
        Assert.True(join.HasOutcome);
        Assert.True(leased.HasOutcome);
    }

    [Fact]
    public void Waiting_gets_wake_when_the_queue_is_shut_down()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        var waiting = new[] { _harness.Get("q"), _harness.Lease(null, "q") };
        var shut = _harness.Apply(new ShutDownQueue("q"));
        Assert.Equal([shut, .. waiting], _harness.Completed);
        Assert.All(waiting, wait => Assert.Equal(WaitStatus.ShutDown, wait.Get<GetOutcome>().Status));
        Assert.Equal(0, _harness.View.SessionCount);
    }

    [Fact]
    public void An_immediate_shutdown_drops_what_is_ready_and_what_comes_back()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 5 });
        var session = _harness.Session();
        _harness.Put("q", 1, 2, 3, 4, 5);
        var put = _harness.Put("q", 6);
        var leases = _harness.Lease(session, "q", 3).Leases();
        _harness.Settle("q", Settlement.Return, [leases[0]], Second);
        var join = _harness.Join("q");
        Assert.Equal(3, _harness.Apply(new ShutDownQueue("q", Immediate: true)).Get<ShutDownQueueOutcome>().Dropped);
        Assert.Equal(new PutOutcome(WaitStatus.ShutDown, 0), put.Outcome);
        Assert.Equal((0L, 2L, 0L, 2L), (_harness.Queue("q").ReadyItems, _harness.Queue("q").LeasedItems, _harness.Queue("q").DelayedItems,
            _harness.Queue("q").UnfinishedItems));
        Assert.Equal(WaitStatus.ShutDown, _harness.Get("q").Get<GetOutcome>().Status);
        _harness.Settle("q", Settlement.Done, [leases[1]]);
        Assert.False(join.HasOutcome);
        _harness.End(session);
        Assert.True(join.HasOutcome);
        Assert.Equal((0L, 4L), (_harness.Queue("q").ReadyItems, _harness.Queue("q").Dropped));
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void Deleting_takes_everything_along_and_tells_those_who_wait()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 2 });
        _harness.Put("q", 1, 2);
        var taken = _harness.Get("q");
        var lease = _harness.Lease(null, "q", lease: Second);
        var put = _harness.Put("q", 3, 4);
        var join = _harness.Join("q");
        var second = _harness.Lease(null, "q");
        var getter = _harness.Get("q");
        var delete = _harness.Apply(new DeleteQueue("q"));
        Assert.Equal([delete, getter, put, join], _harness.Completed);
        Assert.Contains("deleted", getter.Fails(ObjectErrorReason.NotFound).Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (_harness.View.ObjectCount, _harness.View.SessionCount));
        Assert.Null(_harness.Engine.NextDeadline);
        // Late settlements meet another queue, or none.
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        foreach (var late in new[] { taken, lease, second })
            _harness.Apply(new CompensateDelivery(late.Delivery!.Value));
        Assert.Equal(lease.Leases(), _harness.Settle("q", Settlement.Return, lease.Leases()).Get<SettleOutcome>().StaleLeaseIds);
        Assert.Equal(0, _harness.Queue("q").ReadyItems);
    }

    [Fact]
    public void An_idle_queue_disappears_when_it_was_empty_and_unused_for_its_time()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { IdleTtl = 10 * Second });
        _harness.Put("q", 1);
        _harness.Advance(25 * Second);
        var lease = _harness.Lease(null, "q");
        _harness.Advance(4 * Second);
        _harness.Settle("q", Settlement.Done, lease.Leases());
        _harness.Advance(3 * Second);
        var waiting = _harness.Get("q", timeout: Second);
        _harness.Advance(Second);
        Assert.True(waiting.HasOutcome);
        _harness.Advance(10 * Second - TimeSpan.FromTicks(1));
        Assert.Equal(1, _harness.View.ObjectCount);
        _harness.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(0, _harness.View.ObjectCount);
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Theory]
    [InlineData(QueueKind.Fifo)]
    [InlineData(QueueKind.Lifo)]
    [InlineData(QueueKind.Priority)]
    public void A_queue_tells_its_oldest_item_s_age_and_its_bytes(QueueKind kind)
    {
        _harness.CreateQueue(new QueueSpec("q", kind));
        Assert.Null(_harness.Queue("q").OldestAge);
        _harness.Put("q", 1);
        _harness.Advance(Second);
        _harness.Put("q", 2);
        Assert.Equal((Second, 20L), (_harness.Queue("q").OldestAge, _harness.Queue("q").ReadyBytes));
        var taken = _harness.Get("q");
        _harness.Apply(new CompensateDelivery(taken.Delivery!.Value));
        Assert.Equal(2 * Second, _harness.View.FindQueue("q", _harness.Now + Second)!.OldestAge);
    }

    [Fact]
    public void Queues_are_listed_in_the_order_of_their_names_a_page_at_a_time()
    {
        foreach (var name in new[] { "c", "B", "a", "d", "b" })
            _harness.CreateQueue(new QueueSpec(name, QueueKind.Fifo));
        var first = _harness.View.ListQueues("", 2, _harness.Now);
        Assert.Equal(["B", "a"], first.Select(queue => queue.Spec.Name));
        Assert.Equal(["b", "c", "d"], _harness.View.ListQueues("a", 9, _harness.Now).Select(queue => queue.Spec.Name));
        Assert.Empty(_harness.View.ListQueues("d", 9, _harness.Now));
    }
}
