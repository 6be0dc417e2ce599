using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The rows of the semantics page on putting, getting, orders and bounds.</summary>
public sealed class QueueTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ObjectHarness _harness = new();

    [Fact]
    public void Fifo_hands_out_in_order_of_arrival_and_lifo_the_last_first()
    {
        _harness.CreateQueue(new QueueSpec("f", QueueKind.Fifo));
        _harness.CreateQueue(new QueueSpec("l", QueueKind.Lifo));
        Assert.Equal(new PutOutcome(WaitStatus.Ok, 3), _harness.Put("f", 1, 2, 3).Outcome);
        _harness.Put("l", 1, 2, 3);
        Assert.Equal([1, 2, 3], _harness.Get("f", 10).Numbers());
        Assert.Equal([3, 2], _harness.Get("l", 2).Numbers());
        _harness.Put("l", 4);
        Assert.Equal([4, 1], _harness.Get("l", 2).Numbers());
    }

    [Fact]
    public void Sequences_grow_by_one_and_a_first_delivery_is_the_first()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        _harness.Put("q", 1, 2);
        var items = _harness.Get("q", 2).Get<GetOutcome>().Items;
        Assert.Equal([(1UL, 1, 0UL), (2UL, 1, 0UL)], items.Select(item => (item.Sequence, item.Delivery, item.LeaseId)));
        Assert.Equal(
            20, _harness.Apply(new PutItems("q", QueueCalls.Items(1, 2))).Outcome is PutOutcome ? _harness.Get("q", 2).Outcome.Bytes : 0);
    }

    [Fact]
    public void Smallest_priority_first_ties_in_order_of_arrival()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Priority));
        PutWith((1, 5), (2, -3), (3, 5), (4, long.MaxValue), (5, long.MinValue), (6, -3));
        Assert.Equal([5, 2, 6, 1, 3, 4], _harness.Get("q", 10).Numbers());
    }

    [Fact]
    public void With_aging_a_waiting_item_overtakes_so_that_nothing_starves()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Priority) { Aging = Second });
        PutWith((1, 10));
        _harness.Advance(9 * Second);
        PutWith((2, 0));
        Assert.Equal([2], _harness.Get("q").Numbers());
        _harness.Advance(Second);
        // Ten seconds old by now: aging makes it equal to priority 0, and it was put earlier.
        PutWith((3, 0));
        Assert.Equal([1, 3], _harness.Get("q", 2).Numbers());
    }

    [Fact]
    public void Get_waits_for_an_item_and_waiters_are_served_in_order()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        var first = _harness.Get("q", 2);
        var second = _harness.Get("q", 2);
        var put = _harness.Put("q", 1, 2, 3);
        Assert.Equal([put, first, second], _harness.Completed);
        Assert.Equal([1, 2], first.Numbers());
        Assert.Equal([3], second.Numbers());
    }

    [Fact]
    public void Put_blocks_while_full_and_takes_in_as_many_as_fit_in_order()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 2 });
        var put = _harness.Put("q", 1, 2, 3, 4);
        var later = _harness.Put("q", 5);
        Assert.Equal((2L, 2), (_harness.Queue("q").ReadyItems, _harness.Queue("q").WaitingPutters));
        Assert.Equal([1], _harness.Get("q").Numbers());
        Assert.False(put.HasOutcome);
        Assert.Equal([2], _harness.Get("q").Numbers());
        Assert.Equal(new PutOutcome(WaitStatus.Ok, 4), put.Outcome);
        Assert.False(later.HasOutcome);
        Assert.Equal([3, 4], _harness.Get("q", 5).Numbers());
        Assert.True(later.HasOutcome);
    }

    [Fact]
    public void Bytes_bound_a_queue_too_and_the_small_does_not_pass_the_large()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxBytes = 25 });
        _harness.Put("q", 1);
        var large = _harness.Apply(new PutItems("q", [new PutItem(new Content(2, 25))]));
        var small = _harness.Put("q", 3);
        Assert.False(large.HasOutcome || small.HasOutcome);
        _harness.Get("q");
        Assert.True(large.HasOutcome);
        Assert.False(small.HasOutcome);
        var error = _harness.Apply(new PutItems("q", [new PutItem(new Content(4, 1)), new PutItem(new Content(5, 26))]))
            .Fails(ObjectErrorReason.Invalid);
        Assert.Equal("items[1]", error.Field);
        Assert.Contains("26 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("at most 25", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_timeout_tells_how_many_were_accepted_and_those_stay()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 3 });
        var put = _harness.Put("q", Second, null, 1, 2, 3, 4, 5);
        _harness.Get("q");
        _harness.Advance(Second);
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 4), put.Outcome);
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 0), _harness.Put("q", TimeSpan.Zero, null, 6).Outcome);
        Assert.Equal([2, 3, 4], _harness.Get("q", 9).Numbers());
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 3), _harness.Put("q", TimeSpan.Zero, null, 7, 8, 9, 10).Outcome);
        _harness.Put("q", -Second, null, 6).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void One_attempt_also_uses_the_room_that_waiting_gets_make()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 1 });
        var getters = new[] { _harness.Get("q"), _harness.Get("q") };
        var put = _harness.Put("q", TimeSpan.Zero, null, 1, 2, 3, 4);
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 3), put.Outcome);
        Assert.Equal([put, .. getters], _harness.Completed);
        // The same holds for a put that would wait: its caller never saw a wait.
        _harness.Get("q");
        var getter = _harness.Get("q");
        var whole = _harness.Put("q", null, null, 5, 6);
        Assert.Null(whole.Wait);
        Assert.Equal([whole, getter], _harness.Completed);
    }

    [Fact]
    public void A_put_that_could_be_served_queues_behind_those_who_wait()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 2 });
        _harness.Put("q", 1);
        var waiting = _harness.Put("q", 2, 3);
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 0), _harness.Put("q", TimeSpan.Zero, null, 4).Outcome);
        _harness.Abandon(waiting);
        Assert.False(waiting.HasOutcome);
        // Items that an abandoned put has already put stay.
        Assert.Equal([1, 2], _harness.Get("q", 9).Numbers());
    }

    [Fact]
    public void A_getter_that_dies_or_gives_up_while_waiting_loses_nothing()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        var session = _harness.Session();
        var dead = _harness.Get("q", session: session);
        var gone = _harness.Get("q");
        var late = _harness.Get("q", timeout: Second);
        var next = _harness.Get("q");
        _harness.End(session);
        dead.Fails(ObjectErrorReason.SessionLost);
        _harness.Abandon(gone);
        _harness.Advance(Second);
        Assert.Equal(WaitStatus.Timeout, late.Get<GetOutcome>().Status);
        _harness.Put("q", 1);
        Assert.Equal([1], next.Numbers());
    }

    [Fact]
    public void What_was_taken_and_could_not_be_delivered_goes_back_to_the_front_once()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        _harness.Put("q", 1, 2, 3, 4, 5);
        var first = _harness.Get("q", 2);
        var second = _harness.Get("q", 2);
        // They return to their former positions, whatever the order of their return.
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        _harness.Apply(new CompensateDelivery(second.Delivery!.Value));
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        var again = _harness.Get("q", 9);
        Assert.Equal([1, 2, 3, 4, 5], again.Numbers());
        Assert.Equal([1, 1, 1, 1, 1], again.Deliveries());
        Assert.Equal(5, _harness.Queue("q").UnfinishedItems);
    }

    [Fact]
    public void What_comes_back_is_the_first_in_each_kind_of_queue()
    {
        foreach (var (kind, order) in new[] { (QueueKind.Lifo, new[] { 3, 2, 4, 1 }), (QueueKind.Fifo, [1, 2, 3, 4]),
            (QueueKind.Priority, [1, 2, 3, 4]) })
        {
            var name = $"{kind}";
            _harness.CreateQueue(new QueueSpec(name, kind));
            _harness.Put(name, 1, 2, 3);
            var gone = _harness.Get(name, 2);
            _harness.Put(name, 4);
            _harness.Apply(new CompensateDelivery(gone.Delivery!.Value));
            Assert.Equal(order, _harness.Get(name, 9).Numbers());
        }
    }

    [Fact]
    public void Get_takes_no_more_bytes_than_asked_except_for_one_item()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo));
        _harness.Put("q", 1, 2, 3, 4);
        Assert.Equal([1, 2], _harness.Apply(new GetItems("q", 9) { MaxBytes = 29 }).Numbers());
        Assert.Equal([3], _harness.Apply(new GetItems("q", 9) { MaxBytes = 5 }).Numbers());
    }

    [Fact]
    public void An_operation_sent_again_puts_and_takes_once()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 3 });
        var session = _harness.Session();
        var put = new PutItems("q", QueueCalls.Items(1, 2)) { RequestId = "put-1" };
        var outcome = _harness.Apply(put).Outcome;
        Assert.Same(outcome, _harness.Apply(put).Outcome);
        var get = new GetItems("q") { Session = session, OperationId = 1 };
        var got = _harness.Apply(get);
        Assert.Same(got.Outcome, _harness.Apply(get).Outcome);
        Assert.Equal(1, _harness.Queue("q").ReadyItems);
        // A repeated put whose response was lost has no second effect.
        var lost = _harness.Apply(put with { RequestId = "put-2", Items = QueueCalls.Items(3) });
        _harness.Apply(new CompensateDelivery(lost.Delivery!.Value));
        Assert.Same(lost.Outcome, _harness.Apply(put with { RequestId = "put-2" }).Outcome);
        Assert.Equal(2, _harness.Queue("q").ReadyItems);
    }

    [Fact]
    public void A_put_that_is_given_up_half_way_tells_how_far_it_came()
    {
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 2 });
        var session = _harness.Session();
        var put = new PutItems("q", QueueCalls.Items(1, 2, 3)) { Session = session, RequestId = "r", OperationId = 1 };
        var gone = _harness.Apply(put);
        _harness.Abandon(gone);
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 2), _harness.Apply(put).Outcome);
        _harness.Get("q");
        var cancelled = _harness.Apply(put with { RequestId = "s", OperationId = 2 });
        _harness.Apply(new CancelOperations([2]) { Session = session });
        Assert.Equal(new PutOutcome(WaitStatus.Timeout, 1), cancelled.Outcome);
        var nothing = _harness.Apply(put with { RequestId = "t", OperationId = 3 });
        _harness.Apply(new CancelOperations([3]) { Session = session });
        nothing.Fails(ObjectErrorReason.Cancelled);
        Assert.Equal([2, 1], _harness.Get("q", 9).Numbers());
    }

    private void PutWith(params (int Number, long Priority)[] items) =>
        _harness.Apply(new PutItems("q", Array.ConvertAll(items, item => new PutItem(new Content(item.Number, 1), item.Priority))));
}
