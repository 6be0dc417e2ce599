using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on locks.</summary>
public sealed class LockTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;
    private readonly Session _cid;

    public LockTests()
    {
        _ann = _harness.Session("ann", TimeSpan.FromHours(1));
        _bob = _harness.Session("bob", TimeSpan.FromHours(1));
        _cid = _harness.Session("cid", TimeSpan.FromHours(1));
    }

    [Fact]
    public void A_free_lock_is_granted_at_once_and_leaves_nothing_behind()
    {
        var grant = _harness.Acquire(_ann, "build").Get<AcquireLockOutcome>();
        Assert.Equal(new AcquireLockOutcome(WaitStatus.Ok, 1, _ann, 1), grant);
        Assert.Equal(0, _harness.Release(_ann, "build").Get<ReleaseLockOutcome>().Depth);
        Assert.Equal((0, 0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount, _ann.HoldCount));
    }

    [Fact]
    public void Waiters_are_served_first_come_first_served()
    {
        _harness.Acquire(_ann, "build");
        var bob = _harness.Acquire(_bob, "build");
        var cid = _harness.Acquire(_cid, "build");
        Assert.False(bob.HasOutcome || cid.HasOutcome);
        _harness.Release(_ann, "build");
        Assert.Equal(2UL, bob.Token);
        Assert.False(cid.HasOutcome);
        _harness.Release(_bob, "build");
        Assert.Equal(3UL, cid.Token);
    }

    [Fact]
    public void A_plain_lock_does_not_count_the_second_acquire_of_its_session_waits_for_the_first()
    {
        _harness.Acquire(_ann, "build");
        var second = _harness.Acquire(_ann, "build", timeout: TimeSpan.FromSeconds(5));
        var edge = Assert.Single(_harness.View.ExplainWaits(_harness.Now));
        Assert.Equal((_ann, "locks/build", _ann), (edge.Waiter, edge.ObjectName, edge.Holder));
        _harness.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(WaitStatus.Timeout, second.Get<AcquireLockOutcome>().Status);
        Assert.Equal(1, _ann.HoldCount);
        // A try with timeout 0 does not wait, so it is not a deadlock.
        Assert.Equal(WaitStatus.Timeout, _harness.Acquire(_ann, "build", timeout: TimeSpan.Zero).Get<AcquireLockOutcome>().Status);
    }

    [Fact]
    public void A_reentrant_lock_counts_and_keeps_one_token()
    {
        var first = _harness.Acquire(_ann, "build", LockMode.Reentrant).Get<AcquireLockOutcome>();
        var waiter = _harness.Acquire(_bob, "build", LockMode.Reentrant);
        // The owner passes the queue: it waits for no other session.
        var second = _harness.Acquire(_ann, "build", LockMode.Reentrant).Get<AcquireLockOutcome>();
        Assert.Equal((1, 2, first.FencingToken), (first.Depth, second.Depth, second.FencingToken));
        Assert.Equal(1, _harness.Release(_ann, "build").Get<ReleaseLockOutcome>().Depth);
        Assert.False(waiter.HasOutcome);
        Assert.Equal(0, _harness.Release(_ann, "build").Get<ReleaseLockOutcome>().Depth);
        Assert.True(waiter.Token > first.FencingToken);
    }

    [Fact]
    public void A_session_that_waits_twice_for_a_reentrant_lock_gets_both_together()
    {
        _harness.Acquire(_ann, "build", LockMode.Reentrant);
        var first = _harness.Acquire(_bob, "build", LockMode.Reentrant);
        var other = _harness.Acquire(_cid, "build", LockMode.Reentrant);
        var second = _harness.Acquire(_bob, "build", LockMode.Reentrant);
        _harness.Release(_ann, "build");
        Assert.Equal((1, 2), (first.Get<AcquireLockOutcome>().Depth, second.Get<AcquireLockOutcome>().Depth));
        _harness.Release(_bob, "build");
        _harness.Release(_bob, "build");
        Assert.Equal(1, other.Get<AcquireLockOutcome>().Depth);
    }

    [Fact]
    public void Readers_share_and_a_waiting_writer_is_not_starved_by_later_readers()
    {
        var first = _harness.Acquire(_ann, "data", LockMode.Read);
        var second = _harness.Acquire(_bob, "data", LockMode.Read);
        Assert.True(second.Token > first.Token);
        var writer = _harness.Acquire(_cid, "data", LockMode.Write);
        var late = new[] { _harness.Session("dan"), _harness.Session("eve") };
        var lateReads = Array.ConvertAll(late, session => _harness.Acquire(session, "data", LockMode.Read));
        _harness.Release(_ann, "data");
        Assert.False(writer.HasOutcome);
        _harness.Release(_bob, "data");
        Assert.True(writer.HasOutcome);
        Assert.All(lateReads, read => Assert.False(read.HasOutcome));
        _harness.Release(_cid, "data");
        Assert.All(lateReads, read => Assert.True(read.Token > writer.Token));
    }

    [Fact]
    public void A_writer_that_gives_up_lets_the_readers_behind_it_in()
    {
        _harness.Acquire(_ann, "data", LockMode.Read);
        var writer = _harness.Acquire(_bob, "data", LockMode.Write, TimeSpan.FromSeconds(1));
        var reader = _harness.Acquire(_cid, "data", LockMode.Read);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WaitStatus.Timeout, writer.Get<AcquireLockOutcome>().Status);
        Assert.Equal(WaitStatus.Ok, reader.Get<AcquireLockOutcome>().Status);
        Assert.Equal([writer, reader], _harness.Completed);
    }

    [Fact]
    public void A_reader_counts_its_second_read_but_cannot_become_the_writer()
    {
        var first = _harness.Acquire(_ann, "data", LockMode.Read);
        var second = _harness.Acquire(_ann, "data", LockMode.Read).Get<AcquireLockOutcome>();
        Assert.Equal((2, first.Token), (second.Depth, second.FencingToken));
        Assert.NotNull(_harness.Acquire(_ann, "data", LockMode.Write).Wait);
        Assert.Equal(1, _harness.Release(_ann, "data").Get<ReleaseLockOutcome>().Depth);
    }

    [Fact]
    public void Release_by_another_or_when_free_is_not_owner()
    {
        Assert.Equal("lock \"build\" is free", _harness.Release(_ann, "build").Fails(ObjectErrorReason.NotOwner).Message);
        _harness.Acquire(_ann, "build");
        var message = _harness.Release(_bob, "build").Fails(ObjectErrorReason.NotOwner).Message;
        Assert.Equal($"lock \"build\" is held by {_ann}, not by {_bob}", message);
        Assert.Contains("\"ann\"", message, StringComparison.Ordinal);
        _harness.Release(null, "build").Fails(ObjectErrorReason.Invalid);
        Assert.Equal(1, _ann.HoldCount);
    }

    [Fact]
    public void A_lock_in_use_keeps_its_kind_and_an_unused_one_has_none()
    {
        _harness.Acquire(_ann, "build", LockMode.Reentrant);
        Assert.Contains(
            "REENTRANT lock", _harness.Acquire(_bob, "build").Fails(ObjectErrorReason.KindMismatch).Message, StringComparison.Ordinal);
        _harness.Acquire(_bob, "build", LockMode.Read).Fails(ObjectErrorReason.KindMismatch);
        _harness.Release(_ann, "build");
        _harness.Acquire(_bob, "build", LockMode.Read).Get<AcquireLockOutcome>();
        _harness.Acquire(_ann, "build", LockMode.Plain).Fails(ObjectErrorReason.KindMismatch);
    }

    [Fact]
    public void When_the_holder_dies_the_next_gets_it_at_once_with_a_larger_token_and_the_old_one_is_told()
    {
        var held = _harness.Acquire(_ann, "build");
        var next = _harness.Acquire(_bob, "build");
        _harness.End(_ann);
        Assert.True(next.Token > held.Token);
        Assert.Equal([(_ann, ""), (_ann, "locks/build")], _harness.Noticed);
        Assert.All(_harness.Effects.Notices, notice => Assert.Equal(ObjectErrorReason.SessionLost, notice.Reason));
        Assert.Contains("SIGKILL", _harness.Effects.Notices[1].Message, StringComparison.Ordinal);
        Assert.False(_harness.Engine.Locks.IsHeldWith("build", held.Token));
        Assert.True(_harness.Engine.Locks.IsHeldWith("build", next.Token));
        _harness.Release(_ann, "build").Fails(ObjectErrorReason.SessionLost);
    }

    [Fact]
    public void A_waiter_that_dies_is_skipped()
    {
        _harness.Acquire(_ann, "build");
        var dead = _harness.Acquire(_bob, "build");
        var next = _harness.Acquire(_cid, "build");
        _harness.End(_bob);
        dead.Fails(ObjectErrorReason.SessionLost);
        _harness.Release(_ann, "build");
        Assert.Equal(2UL, next.Token);
    }

    [Fact]
    public void Of_sessions_that_die_together_none_is_granted_what_another_held()
    {
        var task = new SessionTask(7, 1, "worker-1#3");
        var holder = _harness.Session("holder", task: task);
        var heir = _harness.Session("heir", task: task with { TaskId = 8 });
        _harness.Acquire(holder, "build");
        var inherited = _harness.Acquire(heir, "build");
        var other = _harness.Acquire(_ann, "build");
        var ended = _harness.Apply(new EndWorkerSessions("worker-1#3", "worker-1#3 was killed"));
        Assert.Equal(2, ended.Get<EndSessionsOutcome>().Ended);
        inherited.Fails(ObjectErrorReason.SessionLost);
        Assert.Equal(2UL, other.Token);
    }

    [Fact]
    public void A_timeout_is_a_result_and_takes_nothing()
    {
        _harness.Acquire(_ann, "build");
        var late = _harness.Acquire(_bob, "build", timeout: TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(12), _harness.Engine.NextDeadline);
        _harness.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.False(late.HasOutcome);
        _harness.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(new AcquireLockOutcome(WaitStatus.Timeout, 0, null, 0), late.Outcome);
        _harness.Release(_ann, "build");
        Assert.Equal(0, _harness.View.ObjectCount);
        _harness.Acquire(_ann, "build", timeout: TimeSpan.FromSeconds(-1)).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void Who_abandons_its_wait_gets_no_outcome_and_keeps_nobody_waiting()
    {
        _harness.Acquire(_ann, "data", LockMode.Read);
        var writer = _harness.Acquire(_bob, "data", LockMode.Write);
        var reader = _harness.Acquire(_cid, "data", LockMode.Read);
        _harness.Abandon(writer);
        Assert.False(writer.HasOutcome);
        Assert.Equal([reader], _harness.Completed);
        // Abandoning after the outcome has no effect: the outcome was sent, and only a compensation can revert it.
        _harness.Abandon(writer);
        Assert.Empty(_harness.Completed);
    }

    [Fact]
    public void A_grant_that_cannot_be_delivered_goes_to_the_next()
    {
        _harness.Acquire(_ann, "build");
        var gone = _harness.Acquire(_bob, "build");
        var next = _harness.Acquire(_cid, "build");
        _harness.Release(_ann, "build");
        _harness.Apply(new CompensateDelivery(gone.Delivery!.Value));
        Assert.True(next.Token > gone.Token);
        // A second compensation, or one after the session reacquired the lock, changes nothing.
        _harness.Release(_cid, "build");
        _harness.Acquire(_bob, "build");
        _harness.Apply(new CompensateDelivery(gone.Delivery!.Value));
        Assert.Equal(1, _bob.HoldCount);
    }

    [Fact]
    public void Without_a_session_a_new_one_is_named_lives_for_its_lease_and_ends_with_the_release()
    {
        var hold = _harness.Apply(new AcquireLock("build") { Lease = TimeSpan.FromSeconds(5) }).Get<AcquireLockOutcome>();
        var waiter = _harness.Apply(new AcquireLock("build") { Lease = TimeSpan.FromSeconds(5) });
        Assert.Equal(5, _harness.View.SessionCount);
        _harness.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("its lease of 5 s passed", hold.Session!.End!.Message, StringComparison.Ordinal);
        // The lease begins with the grant, not with the wait.
        var heir = waiter.Get<AcquireLockOutcome>().Session!;
        _harness.Advance(TimeSpan.FromSeconds(4));
        Assert.False(heir.HasEnded);
        _harness.Release(heir, "build");
        Assert.True(heir.HasEnded);
        Assert.Equal((3, 0), (_harness.View.SessionCount, _harness.View.ObjectCount));
    }

    [Fact]
    public void A_request_without_session_that_is_not_served_leaves_no_session()
    {
        _harness.Acquire(_ann, "build");
        Assert.Equal(WaitStatus.Timeout, _harness.Acquire(null, "build", timeout: TimeSpan.Zero).Get<AcquireLockOutcome>().Status);
        var late = _harness.Acquire(null, "build", timeout: TimeSpan.FromSeconds(1));
        _harness.Abandon(_harness.Acquire(null, "build"));
        Assert.Equal(4, _harness.View.SessionCount);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.True(late.HasOutcome);
        Assert.Equal(3, _harness.View.SessionCount);
    }

    [Theory]
    [InlineData("", "of 0 characters")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("ключ", "A-Z a-z 0-9")]
    public void A_bad_name_is_refused_with_what_would_be_right(string name, string part)
    {
        var error = _harness.Acquire(_ann, name).Fails(ObjectErrorReason.Invalid);
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal("lock", error.Field);
        _harness.Release(_ann, name).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void Bad_modes_and_leases_are_refused()
    {
        Assert.Equal("mode", _harness.Acquire(_ann, "build", (LockMode)9).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("lease", _harness.Apply(new AcquireLock("build") { Lease = TimeSpan.Zero }).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("lease", _harness.Apply(new AcquireLock("build") { Session = _ann, Lease = TimeSpan.FromSeconds(1) })
            .Fails(ObjectErrorReason.Invalid).Field);
        _harness.Acquire(_ann, new string('x', 128)).Get<AcquireLockOutcome>();
        _harness.Acquire(_ann, new string('x', 129)).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void Tokens_go_on_from_where_an_earlier_life_of_the_coordinator_ended() =>
        Assert.Equal(1_001UL, new ObjectHarness(new ObjectEngineOptions { LastFencingToken = 1_000 }).Acquire(null, "build").Token);
}
