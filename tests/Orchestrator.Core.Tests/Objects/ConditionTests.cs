using Orchestrator.Core.Conditions;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on conditions.</summary>
public sealed class ConditionTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;
    private readonly Session _cid;

    public ConditionTests()
    {
        _ann = _harness.Session("ann", TimeSpan.FromHours(1));
        _bob = _harness.Session("bob", TimeSpan.FromHours(1));
        _cid = _harness.Session("cid", TimeSpan.FromHours(1));
    }

    [Fact]
    public void Wait_releases_the_lock_and_holds_it_again_before_it_answers()
    {
        var first = _harness.Acquire(_ann, "data");
        var wait = Wait(_ann);
        Assert.Equal(0, _ann.HoldCount);
        var second = _harness.Acquire(_bob, "data");
        Assert.Equal(1, Notify(_bob).Get<NotifyConditionOutcome>().Notified);
        // Notified, but the notifier still has the lock.
        Assert.False(wait.HasOutcome);
        _harness.Release(_bob, "data");
        var outcome = wait.Get<WaitConditionOutcome>();
        Assert.Equal(WaitStatus.Ok, outcome.Status);
        Assert.True(first.Token < second.Token && second.Token < outcome.FencingToken);
        Assert.True(_harness.Engine.Locks.IsHeldWith("data", outcome.FencingToken));
        _harness.Release(_ann, "data");
        Assert.Equal((0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount));
    }

    [Fact]
    public void All_levels_are_given_up_and_all_are_held_again()
    {
        for (var i = 0; i < 3; i++)
            _harness.Acquire(_ann, "data", LockMode.Reentrant);
        var wait = Wait(_ann);
        Assert.Equal(1, _harness.Acquire(_bob, "data", LockMode.Reentrant).Get<AcquireLockOutcome>().Depth);
        Notify(_bob);
        _harness.Release(_bob, "data");
        Assert.Equal(WaitStatus.Ok, wait.Get<WaitConditionOutcome>().Status);
        Assert.Equal([2, 1, 0], Enumerable.Range(0, 3).Select(_ => _harness.Release(_ann, "data").Get<ReleaseLockOutcome>().Depth));
    }

    [Fact]
    public void After_a_timeout_too_the_lock_is_held_again_first()
    {
        _harness.Acquire(_ann, "data");
        var wait = Wait(_ann, timeout: TimeSpan.FromSeconds(1));
        _harness.Acquire(_bob, "data");
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.False(wait.HasOutcome);
        // It has left the condition: a notification now has no receiver.
        Assert.Equal(0, Notify(_bob).Get<NotifyConditionOutcome>().Notified);
        _harness.Release(_bob, "data");
        Assert.Equal((WaitStatus.Timeout, 3UL), (wait.Get<WaitConditionOutcome>().Status, wait.Get<WaitConditionOutcome>().FencingToken));

        var free = Wait(_ann, timeout: TimeSpan.FromSeconds(1));
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((WaitStatus.Timeout, 4UL), (free.Get<WaitConditionOutcome>().Status, free.Get<WaitConditionOutcome>().FencingToken));
    }

    [Fact]
    public void A_timeout_of_zero_answers_with_the_lock_never_given_up()
    {
        var hold = _harness.Acquire(_ann, "data");
        var next = _harness.Acquire(_bob, "data");
        var outcome = Wait(_ann, timeout: TimeSpan.Zero);
        Assert.Equal(new WaitConditionOutcome(WaitStatus.Timeout, hold.Token), outcome.Outcome);
        // Nothing was granted, so there is nothing to return.
        _harness.Apply(new CompensateDelivery(outcome.Delivery!.Value));
        Assert.False(next.HasOutcome);
    }

    [Fact]
    public void Notify_wakes_in_waiting_order_and_only_those_who_wait_by_then()
    {
        var waits = new[] { _ann, _bob, _cid }.Select(session =>
        {
            _harness.Acquire(session, "data");
            return Wait(session);
        }).ToArray();
        var dan = _harness.Session("dan");
        _harness.Acquire(dan, "data");
        Assert.Equal(1, Notify(dan, 0).Get<NotifyConditionOutcome>().Notified);
        _harness.Release(dan, "data");
        Assert.True(waits[0].HasOutcome && !waits[1].HasOutcome);
        Assert.Equal(2, Notify(_ann, 5).Get<NotifyConditionOutcome>().Notified);
        Assert.Equal(0, Notify(_ann, -1).Get<NotifyConditionOutcome>().Notified);
        _harness.Release(_ann, "data");
        Assert.True(waits[1].HasOutcome && !waits[2].HasOutcome);
        _harness.Release(_bob, "data");
        Assert.True(waits[2].HasOutcome);
    }

    [Fact]
    public void Minus_one_wakes_all_and_who_stood_in_the_lock_s_line_goes_first()
    {
        _harness.Acquire(_ann, "data");
        var ann = Wait(_ann);
        _harness.Acquire(_bob, "data");
        var bob = Wait(_bob);
        _harness.Acquire(_cid, "data");
        var dan = _harness.Acquire(_harness.Session("dan"), "data");
        Assert.Equal(2, Notify(_cid, -1).Get<NotifyConditionOutcome>().Notified);
        _harness.Release(_cid, "data");
        Assert.True(dan.HasOutcome && !ann.HasOutcome);
        _harness.Release(dan.Get<AcquireLockOutcome>().Session, "data");
        Assert.True(ann.HasOutcome && !bob.HasOutcome);
    }

    [Fact]
    public void Without_the_lock_it_is_not_owner()
    {
        Wait(_ann).Fails(ObjectErrorReason.NotOwner);
        Notify(_ann).Fails(ObjectErrorReason.NotOwner);
        _harness.Acquire(_bob, "data");
        Assert.Contains("is held by s-5d906140 (\"bob\"), not by s-84097828 (\"ann\")", Wait(_ann)
            .Fails(ObjectErrorReason.NotOwner).Message, StringComparison.Ordinal);
        Notify(_ann).Fails(ObjectErrorReason.NotOwner);
        _harness.Acquire(_ann, "shared", LockMode.Read);
        Assert.Contains("for reading", Wait(_ann, @lock: "shared").Fails(ObjectErrorReason.NotOwner).Message, StringComparison.Ordinal);
        Assert.Equal("session_id", Wait(null).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("count", Notify(_bob, -2).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal(
            "condition", _harness.Apply(new WaitCondition("a b", "data") { Session = _bob }).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("lock", _harness.Apply(new WaitCondition("a", "") { Session = _bob }).Fails(ObjectErrorReason.Invalid).Field);
    }

    [Fact]
    public void A_writer_waits_and_readers_go_on_meanwhile()
    {
        _harness.Acquire(_ann, "data", LockMode.Write);
        var wait = Wait(_ann);
        _harness.Acquire(_bob, "data", LockMode.Read);
        Notify(_bob).Fails(ObjectErrorReason.NotOwner);
        _harness.Release(_bob, "data");
        _harness.Acquire(_bob, "data", LockMode.Write);
        Notify(_bob);
        var reader = _harness.Acquire(_cid, "data", LockMode.Read);
        _harness.Release(_bob, "data");
        Assert.True(wait.HasOutcome && !reader.HasOutcome);
    }

    [Fact]
    public void A_condition_belongs_to_one_lock_at_a_time()
    {
        _harness.Acquire(_ann, "data");
        var wait = Wait(_ann);
        _harness.Acquire(_bob, "other");
        var error = Wait(_bob, @lock: "other").Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("condition \"changed\" belongs to lock \"data\" while it has waiters, not to lock \"other\"", error.Message);
        _harness.Apply(new NotifyCondition("changed", "other") { Session = _bob }).Fails(ObjectErrorReason.KindMismatch);
        // While a session waits at the condition, the lock keeps its kind even without a holder.
        _harness.Acquire(_cid, "data", LockMode.Reentrant).Fails(ObjectErrorReason.KindMismatch);
        _harness.Abandon(wait);
        Assert.NotNull(Wait(_bob, @lock: "other").Wait);
    }

    [Fact]
    public void A_session_may_notify_its_own_wait()
    {
        _harness.Acquire(_ann, "data");
        var plain = Wait(_ann);
        _harness.Acquire(_ann, "data");
        Notify(_ann);
        Assert.False(plain.HasOutcome);
        _harness.Release(_ann, "data");
        Assert.Equal(WaitStatus.Ok, plain.Get<WaitConditionOutcome>().Status);

        _harness.Acquire(_bob, "deep", LockMode.Reentrant);
        var deep = Wait(_bob, @lock: "deep", condition: "deeper");
        _harness.Acquire(_bob, "deep", LockMode.Reentrant);
        _harness.Apply(new NotifyCondition("deeper", "deep") { Session = _bob });
        Assert.Equal(WaitStatus.Ok, deep.Get<WaitConditionOutcome>().Status);
        Assert.Equal(1, _harness.Release(_bob, "deep").Get<ReleaseLockOutcome>().Depth);
    }

    [Fact]
    public void A_session_that_stands_in_a_reentrant_lock_s_line_already_returns_beside_its_own_place()
    {
        _harness.Acquire(_ann, "data", LockMode.Reentrant);
        var wait = Wait(_ann);
        _harness.Acquire(_bob, "data", LockMode.Reentrant);
        var own = _harness.Acquire(_ann, "data", LockMode.Reentrant);
        var behind = _harness.Acquire(_cid, "data", LockMode.Reentrant);
        Notify(_bob);
        _harness.Release(_bob, "data");
        Assert.Equal([own, wait], _harness.Completed.Skip(1));
        Assert.Equal(own.Token, wait.Get<WaitConditionOutcome>().FencingToken);
        Assert.False(behind.HasOutcome);
        Assert.Equal([1, 0], Enumerable.Range(0, 2).Select(_ => _harness.Release(_ann, "data").Get<ReleaseLockOutcome>().Depth));
        Assert.True(behind.HasOutcome);
    }

    [Fact]
    public void A_wait_that_may_not_wait_keeps_its_lock()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxWaits = 1 });
        var (ann, bob) = (harness.Session(), harness.Session());
        var hold = harness.Acquire(ann, "data");
        var next = harness.Acquire(bob, "data");
        harness.Apply(new WaitCondition("changed", "data") { Session = ann }).Fails(ObjectErrorReason.LimitExceeded);
        Assert.True(harness.Engine.Locks.IsHeldWith("data", hold.Token));
        Assert.False(next.HasOutcome);
        Assert.Equal(1, harness.View.ObjectCount);
        var full = new ObjectHarness(new ObjectEngineOptions { MaxObjects = 1 });
        var cid = full.Session();
        full.Acquire(cid, "data");
        full.Apply(new WaitCondition("changed", "data") { Session = cid }).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal(1, cid.HoldCount);
    }

    private Call Wait(Session? session, string condition = "changed", string @lock = "data", TimeSpan? timeout = null) =>
        _harness.Apply(new WaitCondition(condition, @lock) { Session = session, Timeout = timeout });

    private Call Notify(Session? session, int count = 1) =>
        _harness.Apply(new NotifyCondition("changed", "data", count) { Session = session });
}
