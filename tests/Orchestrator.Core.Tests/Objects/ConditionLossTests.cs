using Orchestrator.Core.Conditions;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Waiters at a condition that die, leave, or could never reacquire the lock.</summary>
public sealed class ConditionLossTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;
    private readonly Session _cid;

    public ConditionLossTests()
    {
        _ann = _harness.Session("ann", TimeSpan.FromHours(1));
        _bob = _harness.Session("bob", TimeSpan.FromHours(1));
        _cid = _harness.Session("cid", TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_waiter_that_dies_leaves_the_queue()
    {
        _harness.Acquire(_ann, "data");
        var dead = Wait(_ann);
        _harness.Acquire(_bob, "data");
        var alive = Wait(_bob);
        _harness.End(_ann);
        dead.Fails(ObjectErrorReason.SessionLost);
        _harness.Acquire(_cid, "data");
        Assert.Equal(1, Notify(_cid).Get<NotifyConditionOutcome>().Notified);
        _harness.Release(_cid, "data");
        Assert.Equal(WaitStatus.Ok, alive.Get<WaitConditionOutcome>().Status);
    }

    [Theory]
    [InlineData("dies")]
    [InlineData("goes before the grant")]
    [InlineData("goes after the grant")]
    [InlineData("cancels")]
    public void A_notification_that_reached_nobody_goes_to_the_next_who_waited_then(string fate)
    {
        _harness.Acquire(_ann, "data");
        var first = _harness.Apply(new WaitCondition("changed", "data") { Session = _ann, OperationId = 7 });
        _harness.Acquire(_bob, "data");
        var second = Wait(_bob);
        _harness.Acquire(_cid, "data");
        Notify(_cid);
        switch (fate)
        {
            case "dies":
                _harness.End(_ann);
                break;
            case "goes before the grant":
                _harness.Abandon(first);
                break;
            case "cancels":
                _harness.Apply(new CancelOperations([7]) { Session = _ann });
                first.Fails(ObjectErrorReason.Cancelled);
                break;
        }

        _harness.Release(_cid, "data");
        if (fate == "goes after the grant")
            _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        Assert.Equal(WaitStatus.Ok, second.Get<WaitConditionOutcome>().Status);
        Assert.Equal((0, 1), (_ann.HoldCount, _bob.HoldCount));
    }

    [Fact]
    public void To_one_who_came_later_it_would_be_spurious()
    {
        _harness.Acquire(_ann, "data");
        var first = Wait(_ann);
        _harness.Acquire(_cid, "data");
        var next = Wait(_cid);
        _harness.Acquire(_bob, "data");
        Notify(_bob);
        var late = Wait(_bob);
        _harness.Abandon(next);
        // ann's grant of the lock is never delivered; the other waiter of that time has abandoned its wait.
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        Assert.False(late.HasOutcome);
        Assert.Equal(0, _ann.HoldCount);
    }

    [Fact]
    public void Whoever_waits_needs_the_lock_back_so_its_holder_must_not_wait_for_it()
    {
        _harness.Acquire(_ann, "mine");
        _harness.Acquire(_ann, "data");
        Assert.NotNull(Wait(_ann, timeout: TimeSpan.FromSeconds(1)).Wait);
        _harness.Acquire(_bob, "data");
        var edges = _harness.Acquire(_bob, "mine").Fails(ObjectErrorReason.Deadlock).Cycle!.Edges;
        Assert.Equal([("locks/mine", _ann), ("conditions/changed", _bob)], edges.Select(edge => (edge.ObjectName, edge.Holder!)));
    }

    [Fact]
    public void Who_stands_in_the_lock_s_line_must_not_wait_for_it_either()
    {
        _harness.Acquire(_ann, "mine");
        _harness.Acquire(_ann, "data");
        Assert.NotNull(Wait(_ann).Wait);
        _harness.Acquire(_bob, "data");
        Assert.NotNull(_harness.Acquire(_cid, "data").Wait);
        _harness.Acquire(_cid, "mine").Fails(ObjectErrorReason.Deadlock);
    }

    [Fact]
    public void A_wait_that_would_close_a_cycle_keeps_its_lock()
    {
        _harness.Acquire(_ann, "mine");
        var hold = _harness.Acquire(_ann, "data");
        Assert.NotNull(_harness.Acquire(_bob, "data").Wait);
        Assert.NotNull(_harness.Acquire(_cid, "data").Wait);
        // bob is next for the lock, and will not release it before he has the one that ann holds.
        var pipelined = _harness.Acquire(_bob, "mine");
        Assert.NotNull(pipelined.Wait);
        Wait(_ann).Fails(ObjectErrorReason.Deadlock);
        Assert.True(_harness.Engine.Locks.IsHeldWith("data", hold.Token));
        _harness.Abandon(pipelined);
        Assert.NotNull(Wait(_ann).Wait);
        Assert.False(_harness.Engine.Locks.IsHeldWith("data", hold.Token));
    }

    [Fact]
    public void A_return_that_closes_a_cycle_fails_and_the_notification_goes_on()
    {
        // One session may pipeline: bob waits for ann's lock, then takes the lock that ann must reacquire, and notifies.
        _harness.Acquire(_ann, "mine");
        _harness.Acquire(_ann, "data");
        var stuck = Wait(_ann);
        _harness.Acquire(_cid, "data");
        var other = Wait(_cid);
        Assert.NotNull(_harness.Acquire(_bob, "mine").Wait);
        _harness.Acquire(_bob, "data");
        Notify(_bob);
        stuck.Fails(ObjectErrorReason.Deadlock);
        _harness.Release(_bob, "data");
        Assert.Equal(WaitStatus.Ok, other.Get<WaitConditionOutcome>().Status);
    }

    private Call Wait(Session session, TimeSpan? timeout = null) =>
        _harness.Apply(new WaitCondition("changed", "data") { Session = session, Timeout = timeout });

    private Call Notify(Session session) => _harness.Apply(new NotifyCondition("changed", "data") { Session = session });
}
