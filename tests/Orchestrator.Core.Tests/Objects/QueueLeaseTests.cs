using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>The rows of the semantics page on leases, dead letters, joins and the unfinished count.</summary>
public sealed class QueueLeaseTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;

    public QueueLeaseTests()
    {
        _ann = _harness.Session("ann", TimeSpan.FromHours(1));
        _bob = _harness.Session("bob", TimeSpan.FromHours(1));
        _harness.CreateQueue(new QueueSpec("q", QueueKind.Fifo) { MaxItems = 5 });
    }

    [Fact]
    public void A_leased_item_is_invisible_until_it_is_done_which_finishes_it()
    {
        _harness.Put("q", 1, 2);
        var lease = _harness.Lease(_ann, "q");
        Assert.Equal([2], _harness.Get("q").Numbers());
        Assert.Equal((0L, 1L, 2L), (_harness.Queue("q").ReadyItems, _harness.Queue("q").LeasedItems, _harness.Queue("q").UnfinishedItems));
        var settled = _harness.Settle("q", Settlement.Done, lease.Leases()).Get<SettleOutcome>();
        Assert.Equal(1, settled.Settled);
        Assert.Empty(settled.StaleLeaseIds);
        Assert.Equal((0L, 1L, 0), (_harness.Queue("q").LeasedItems, _harness.Queue("q").UnfinishedItems, _ann.HoldCount));
    }

    [Fact]
    public void A_late_settlement_is_stale_named_and_changes_nothing()
    {
        _harness.Put("q", 1, 2, 3);
        var leases = _harness.Lease(_ann, "q", 2).Leases();
        _harness.Settle("q", Settlement.Done, [leases[0]]);
        foreach (var how in new[] { Settlement.Done, Settlement.Return, Settlement.Reject })
        {
            var late = _harness.Settle("q", how, [leases[0], 99]).Get<SettleOutcome>();
            Assert.Equal(0, late.Settled);
            Assert.Equal([leases[0], 99UL], late.StaleLeaseIds);
        }

        // Another session's lease is not the caller's; the second mention of a lease is stale.
        var foreign = _harness.Apply(new SettleItems("q", [leases[1]], Settlement.Done) { Session = _bob }).Get<SettleOutcome>();
        Assert.Equal([leases[1]], foreign.StaleLeaseIds);
        var twice = _harness.Apply(new SettleItems("q", [leases[1], leases[1]], Settlement.Done) { Session = _ann }).Get<SettleOutcome>();
        Assert.Equal(1, twice.Settled);
        Assert.Equal([leases[1]], twice.StaleLeaseIds);
        Assert.Equal((1L, 1L), (_harness.Queue("q").ReadyItems, _harness.Queue("q").UnfinishedItems));
    }

    [Fact]
    public void Return_is_the_front_again_or_after_a_delay_and_the_delivery_grows()
    {
        _harness.Put("q", 1, 2, 3);
        var leases = _harness.Lease(_ann, "q", 2).Leases();
        _harness.Settle("q", Settlement.Return, [leases[1]]);
        _harness.Settle("q", Settlement.Return, [leases[0]], Second);
        Assert.Equal((2L, 1L, 3L), (_harness.Queue("q").ReadyItems, _harness.Queue("q").DelayedItems, _harness.Queue("q").UnfinishedItems));
        var again = _harness.Get("q", 9);
        Assert.Equal([2, 3], again.Numbers());
        Assert.Equal([2, 1], again.Deliveries());
        var waiting = _harness.Get("q", 9);
        _harness.Advance(Second);
        Assert.Equal([1], waiting.Numbers());
        Assert.Equal([2], waiting.Deliveries());
    }

    [Fact]
    public void When_a_lease_ends_the_item_is_first_again()
    {
        _harness.Put("q", 1, 2);
        var lease = _harness.Lease(_ann, "q", lease: Second);
        _harness.Advance(Second);
        Assert.Equal(0, _ann.HoldCount);
        Assert.Equal(lease.Leases(), _harness.Settle("q", Settlement.Done, lease.Leases()).Get<SettleOutcome>().StaleLeaseIds);
        var again = _harness.Lease(_bob, "q", 2);
        Assert.Equal([1, 2], again.Numbers());
        Assert.Equal([2, 1], again.Deliveries());
    }

    [Fact]
    public void Extend_gives_a_new_lease_from_now_on()
    {
        _harness.Put("q", 1);
        var lease = _harness.Lease(_ann, "q", lease: 2 * Second).Leases();
        _harness.Advance(Second);
        Assert.Equal(1, _harness.Settle("q", Settlement.Extend, lease, 5 * Second).Get<SettleOutcome>().Settled);
        _harness.Advance(4 * Second);
        Assert.Equal(1, _harness.Queue("q").LeasedItems);
        _harness.Advance(Second);
        Assert.Equal((0L, 1L), (_harness.Queue("q").LeasedItems, _harness.Queue("q").ReadyItems));
    }

    [Fact]
    public void A_get_without_a_session_gets_one_that_lives_as_long_as_the_lease()
    {
        _harness.Put("q", 1, 2);
        var lease = _harness.Lease(null, "q", lease: 2 * Second);
        var other = _harness.Lease(null, "q");
        var session = lease.Get<GetOutcome>().Session!;
        _harness.Settle("q", Settlement.Extend, lease.Leases(), 5 * Second);
        _harness.Advance(4 * Second);
        Assert.False(session.HasEnded);
        _harness.Advance(Second);
        Assert.True(session.HasEnded);
        _harness.Settle("q", Settlement.Done, other.Leases());
        Assert.True(other.Get<GetOutcome>().Session!.HasEnded);
        Assert.Equal([1], _harness.Get("q", 9).Numbers());
        Assert.Equal(2, _harness.View.SessionCount);
    }

    [Fact]
    public void When_the_consumer_dies_its_items_come_back_to_the_front_in_the_old_order()
    {
        _harness.Put("q", 1, 2, 3, 4, 5);
        _harness.Lease(_ann, "q", 1);
        _harness.Lease(_bob, "q", 1);
        _harness.Lease(_ann, "q", 2);
        _harness.End(_bob);
        _harness.End(_ann);
        Assert.Contains((_ann, "queues/q"), _harness.Noticed);
        var again = _harness.Get("q", 9);
        Assert.Equal([1, 2, 3, 4, 5], again.Numbers());
        Assert.Equal([2, 2, 2, 2, 1], again.Deliveries());
    }

    [Fact]
    public void What_is_leased_counts_against_the_bounds()
    {
        _harness.Put("q", 1, 2, 3, 4, 5);
        var lease = _harness.Lease(_ann, "q", 5);
        var put = _harness.Put("q", 6);
        Assert.False(put.HasOutcome);
        _harness.Settle("q", Settlement.Done, [lease.Leases()[3]]);
        Assert.True(put.HasOutcome);
    }

    [Fact]
    public void Rejected_items_go_to_the_dead_letters_with_the_reason()
    {
        _harness.CreateQueue(new QueueSpec("w", QueueKind.Fifo) { DeadLetterQueue = "dead" });
        var reader = default(Call);
        _harness.Put("w", 1, 2);
        _harness.Settle("w", Settlement.Reject, _harness.Lease(_ann, "w").Leases(), reason: "no such customer");
        reader = _harness.Get("dead");
        var letter = reader.Get<GetOutcome>().Items[0];
        Assert.Equal(1, letter.Body.Body);
        Assert.Equal(("w", 1UL, 1, "rejected: no such customer"),
            (letter.DeadLetter!.Queue, letter.DeadLetter.Sequence, letter.DeadLetter.Deliveries, letter.DeadLetter.Reason));
        Assert.Equal((1, 1L, 1L), (letter.Delivery, _harness.Queue("w").DeadLettered, _harness.Queue("w").UnfinishedItems));
        // Without a dead-letter queue, or when it accepts no more, the item is dropped and counted.
        _harness.Apply(new ShutDownQueue("dead"));
        _harness.Settle("w", Settlement.Reject, _harness.Lease(_ann, "w").Leases());
        _harness.Put("q", 1);
        _harness.Settle("q", Settlement.Reject, _harness.Lease(_ann, "q").Leases());
        Assert.Equal((1L, 1L, 0L), (_harness.Queue("w").Dropped, _harness.Queue("q").Dropped, _harness.Queue("q").UnfinishedItems));
    }

    [Fact]
    public void Too_many_deliveries_are_a_dead_letter_however_the_item_comes_back()
    {
        _harness.CreateQueue(new QueueSpec("w", QueueKind.Fifo) { DeadLetterQueue = "dead", MaxDeliveries = 2 });
        _harness.Put("w", 1, 2, 3);
        var waiting = default(Call);
        _harness.Settle("w", Settlement.Return, _harness.Lease(_ann, "w", 3).Leases());
        _harness.Settle("w", Settlement.Return, _harness.Lease(_ann, "w").Leases(), Second);
        _harness.Lease(_ann, "w", lease: Second);
        _harness.Advance(Second);
        _harness.Lease(_bob, "w");
        _harness.End(_bob);
        waiting = _harness.Get("dead", 9);
        var letters = waiting.Get<GetOutcome>().Items;
        Assert.Equal([1, 2, 3], waiting.Numbers());
        Assert.All(letters, letter => Assert.Equal(2, letter.DeadLetter!.Deliveries));
        Assert.EndsWith("the last time it was returned", letters[0].DeadLetter!.Reason, StringComparison.Ordinal);
        Assert.EndsWith("the last time its lease ended", letters[1].DeadLetter!.Reason, StringComparison.Ordinal);
        Assert.Contains("bob", letters[2].DeadLetter!.Reason, StringComparison.Ordinal);
        Assert.Equal((0L, 3L), (_harness.Queue("w").UnfinishedItems, _harness.Queue("w").DeadLettered));
    }

    [Fact]
    public void A_delivery_that_was_given_back_does_not_count()
    {
        _harness.CreateQueue(new QueueSpec("w", QueueKind.Fifo) { MaxDeliveries = 1 });
        _harness.Put("w", 1);
        for (var i = 0; i < 3; i++)
        {
            var lost = _harness.Lease(_ann, "w");
            Assert.Equal([1], lost.Deliveries());
            _harness.Apply(new CompensateDelivery(lost.Delivery!.Value));
        }

        Assert.Equal((1L, 0L, 0), (_harness.Queue("w").ReadyItems, _harness.Queue("w").Dropped, _ann.HoldCount));
    }

    [Fact]
    public void Join_waits_until_all_is_done_and_has_a_timeout()
    {
        Assert.Equal(new JoinOutcome(WaitStatus.Ok, 0), _harness.Join("q").Outcome);
        _harness.Put("q", 1, 2);
        Assert.Equal(new JoinOutcome(WaitStatus.Timeout, 2), _harness.Join("q", TimeSpan.Zero).Outcome);
        var join = _harness.Join("q");
        var late = _harness.Join("q", Second);
        _harness.Settle("q", Settlement.Done, _harness.Lease(_ann, "q").Leases());
        _harness.Advance(Second);
        Assert.Equal(new JoinOutcome(WaitStatus.Timeout, 1), late.Outcome);
        _harness.Get("q");
        Assert.False(join.HasOutcome);
        Assert.Equal(0, _harness.Apply(new MarkItemsDone("q")).Get<MarkDoneOutcome>().Unfinished);
        Assert.Equal(new JoinOutcome(WaitStatus.Ok, 0), join.Outcome);
    }

    [Fact]
    public void Marking_more_done_than_is_unfinished_is_over_released_and_changes_nothing()
    {
        _harness.Put("q", 1, 2);
        Assert.Contains("2 unfinished", _harness.Apply(new MarkItemsDone("q", 3))
            .Fails(ObjectErrorReason.OverReleased).Message, StringComparison.Ordinal);
        Assert.Equal(2, _harness.Queue("q").UnfinishedItems);
        _harness.Apply(new MarkItemsDone("q", -1)).Fails(ObjectErrorReason.Invalid);
        Assert.Equal(1, _harness.Apply(new MarkItemsDone("q", 0)).Get<MarkDoneOutcome>().Unfinished);
    }

    [Fact]
    public void A_join_for_items_that_a_waiting_session_has_leased_is_a_deadlock()
    {
        _harness.Put("q", 1);
        _harness.Lease(_ann, "q");
        _harness.Acquire(_bob, "build");
        _harness.Acquire(_ann, "build");
        var edges = _harness.Join("q", session: _bob).Fails(ObjectErrorReason.Deadlock).Cycle!.Edges;
        Assert.Equal([("queues/q", _ann), ("locks/build", _bob)], edges.Select(edge => (edge.ObjectName, edge.Holder!)));
        // Any session may settle the other item, so a wait for any of them is not a deadlock.
        _harness.Put("q", 2);
        Assert.NotNull(_harness.Join("q", session: _bob).Wait);
    }

    [Fact]
    public void A_put_into_a_queue_full_of_leases_of_a_waiting_session_is_a_deadlock()
    {
        _harness.CreateQueue(new QueueSpec("w", QueueKind.Fifo) { MaxItems = 2 });
        _harness.Put("w", 1, 2);
        _harness.Acquire(_bob, "build");
        _harness.Lease(_ann, "w");
        var third = _harness.Session();
        _harness.Lease(third, "w");
        _harness.Acquire(_ann, "build");
        // One free place is enough, and the third session will make it.
        var put = _harness.Put("w", null, _bob, 3);
        Assert.NotNull(put.Wait);
        _harness.Abandon(put);
        _harness.Acquire(third, "build");
        _harness.Put("w", null, _bob, 3).Fails(ObjectErrorReason.Deadlock);
        Assert.Equal(0, _harness.Queue("w").WaitingPutters);
    }

    [Fact]
    public void Leases_that_time_ends_or_of_the_waiter_itself_are_no_deadlock()
    {
        _harness.Put("q", 1);
        _harness.Lease(_ann, "q", lease: Second);
        _harness.Acquire(_bob, "build");
        _harness.Acquire(_ann, "build");
        Assert.NotNull(_harness.Join("q", session: _bob).Wait);
        // A consumer and a join in one session.
        _harness.CreateQueue(new QueueSpec("w", QueueKind.Fifo) { MaxItems = 1 });
        _harness.Put("w", 1);
        _harness.Lease(_ann, "w");
        Assert.NotNull(_harness.Join("w", session: _ann).Wait);
        Assert.NotNull(_harness.Put("w", null, _ann, 2).Wait);
    }

    [Fact]
    public void Bad_settlements_are_refused()
    {
        Assert.Equal("settlement", _harness.Settle("q", (Settlement)9, [1]).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("duration", _harness.Settle("q", Settlement.Extend, [1]).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("duration", _harness.Settle("q", Settlement.Extend, [1], TimeSpan.Zero).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("duration", _harness.Settle("q", Settlement.Done, [1], Second).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("duration", _harness.Settle("q", Settlement.Return, [1], -Second).Fails(ObjectErrorReason.Invalid).Field);
        _harness.Settle("none", Settlement.Done, [1]).Fails(ObjectErrorReason.NotFound);
        Assert.Equal("lease", _harness.Apply(new GetItems("q") { Lease = Second }).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("lease", _harness.Lease(_ann, "q", lease: TimeSpan.Zero).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("max_items", _harness.Get("q", -1).Fails(ObjectErrorReason.Invalid).Field);
    }
}
