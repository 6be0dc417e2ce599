using Orchestrator.Core.Kernel;
using Orchestrator.Core.Semaphores;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on semaphores.</summary>
public sealed class SemaphoreTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;
    private readonly Session _cid;

    public SemaphoreTests()
    {
        _ann = _harness.Session("ann");
        _bob = _harness.Session("bob");
        _cid = _harness.Session("cid");
    }

    [Fact]
    public void Permits_are_granted_first_come_first_served_and_several_at_once()
    {
        Assert.Equal(new AcquireSemaphoreOutcome(WaitStatus.Ok, _ann, 1), Acquire(_ann, "db", 2, initial: 3).Outcome);
        var two = Acquire(_bob, "db", 2);
        // One permit is free, but the waiter ahead needs two.
        var one = Acquire(_cid, "db", 1);
        Assert.False(two.HasOutcome || one.HasOutcome);
        Assert.Equal(0, Release(_ann, "db", 2).Get<ReleaseSemaphoreOutcome>().AvailablePermits);
        Assert.Equal([1, 0], _harness.Completed.Skip(1).Select(call => call.Get<AcquireSemaphoreOutcome>().AvailablePermits));
    }

    [Fact]
    public void A_bounded_release_above_the_initial_value_is_an_error_and_changes_nothing()
    {
        Acquire(_ann, "db", 1, initial: 2);
        var error = Release(_ann, "db", 2).Fails(ObjectErrorReason.OverReleased);
        Assert.Equal("semaphore \"db\" takes at most 1 permits now, not 2: it is bounded at 2, of which 1 are free", error.Message);
        Assert.Equal(1, _ann.HoldCount);
        Assert.Equal(2, Release(_ann, "db").Get<ReleaseSemaphoreOutcome>().AvailablePermits);
    }

    [Fact]
    public void Permits_of_a_dead_session_come_back_and_it_is_told()
    {
        Acquire(_ann, "db", 2, initial: 2);
        var waiter = Acquire(_bob, "db", 2);
        _harness.End(_ann);
        Assert.Equal([(_ann, ""), (_ann, "semaphores/db")], _harness.Noticed);
        Assert.Equal(WaitStatus.Ok, waiter.Get<AcquireSemaphoreOutcome>().Status);
    }

    [Fact]
    public void One_may_release_what_another_acquired_and_then_it_does_not_come_back_twice()
    {
        Acquire(_ann, "db", 2, initial: 3);
        Assert.Equal(2, Release(_bob, "db").Get<ReleaseSemaphoreOutcome>().AvailablePermits);
        Assert.Equal(2, Acquire(_cid, "db", 2).Get<AcquireSemaphoreOutcome>().Session!.HoldCount + 1);
        _harness.End(_ann);
        Assert.Equal(0, Acquire(_bob, "db", 1).Get<AcquireSemaphoreOutcome>().AvailablePermits);
    }

    [Fact]
    public void A_release_takes_from_its_own_hold_first()
    {
        Acquire(_ann, "db", 1, initial: 2);
        Acquire(_bob, "db", 1);
        Release(_bob, "db");
        Assert.Equal((1, 0), (_ann.HoldCount, _bob.HoldCount));
    }

    [Fact]
    public void An_unbounded_one_is_released_by_anybody_before_or_while_one_waits()
    {
        Assert.Equal(WaitStatus.Timeout, Acquire(_ann, "signal", initial: 0, bounded: false, timeout: TimeSpan.Zero)
            .Get<AcquireSemaphoreOutcome>().Status);
        Assert.Equal(1, Release(null, "signal").Get<ReleaseSemaphoreOutcome>().AvailablePermits);
        Assert.Equal(0, Acquire(_ann, "signal").Get<AcquireSemaphoreOutcome>().AvailablePermits);
        var waiter = Acquire(_ann, "signal");
        Assert.NotNull(waiter.Wait);
        Release(_bob, "signal");
        Assert.Equal(WaitStatus.Ok, waiter.Get<AcquireSemaphoreOutcome>().Status);
        // Taken signals are used up: they do not return when their taker's session ends.
        _harness.End(_ann);
        Assert.NotNull(Acquire(_bob, "signal").Wait);
    }

    [Fact]
    public void An_unbounded_one_counts_no_further_than_its_number_goes()
    {
        Acquire(_ann, "signal", initial: 0, bounded: false, timeout: TimeSpan.Zero);
        Release(_ann, "signal", int.MaxValue);
        Release(_ann, "signal").Fails(ObjectErrorReason.OverReleased);
    }

    [Fact]
    public void One_at_rest_costs_nothing_and_its_initial_value_must_be_given_again()
    {
        Acquire(_ann, "db", initial: 2);
        Acquire(_bob, "open", initial: 2, bounded: false);
        Release(_ann, "db");
        Release(_bob, "open");
        Assert.Equal(0, _harness.View.ObjectCount);
        Assert.Contains("give initial_permits", Acquire(_ann, "db").Fails(ObjectErrorReason.NotFound).Message, StringComparison.Ordinal);
        Release(_ann, "db").Fails(ObjectErrorReason.NotFound);
        Acquire(_ann, "db", initial: 5);
    }

    [Fact]
    public void One_for_signals_waits_for_the_first_signal_and_goes_when_it_has_been_idle()
    {
        Acquire(_ann, "signal", initial: 0, bounded: false, timeout: TimeSpan.Zero);
        var session = _harness.Session("lasting", TimeSpan.FromHours(24));
        _harness.Advance(TimeSpan.FromMinutes(59));
        Acquire(session, "signal", initial: 0, bounded: false, timeout: TimeSpan.Zero);
        _harness.Advance(TimeSpan.FromMinutes(59));
        Release(null, "signal");
        _harness.Advance(TimeSpan.FromHours(3));
        Assert.Equal(1, _harness.View.ObjectCount);
        Acquire(session, "signal");
        _harness.End(session);
        _harness.Advance(TimeSpan.FromHours(1));
        Assert.Equal((0, 0), (_harness.View.ObjectCount, _harness.View.SessionCount));
        Assert.Null(_harness.Engine.NextDeadline);
    }

    [Fact]
    public void Later_requests_agree_with_the_first_or_leave_it_out()
    {
        Acquire(_ann, "db", initial: 2);
        var error = Acquire(_bob, "db", initial: 3).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("semaphore \"db\" was created with initial_permits 2 and is bounded; initial_permits of 3 must agree or be left out",
            error.Message);
        Assert.Equal("bounded", Acquire(_bob, "db", initial: 2, bounded: false).Fails(ObjectErrorReason.KindMismatch).Field);
        Acquire(_ann, "open", initial: 2, bounded: false);
        _harness.Apply(new AcquireSemaphore("open") { Session = _bob, Bounded = true }).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal(WaitStatus.Ok, Acquire(_bob, "open").Get<AcquireSemaphoreOutcome>().Status);
    }

    [Theory]
    [InlineData(-1, true, 1, "initial_permits", "initial_permits of -1 must be at least 0")]
    [InlineData(0, true, 1, "initial_permits", "initial_permits of 0 must be at least 1 where bounded: no acquire could ever succeed")]
    [InlineData(2, true, 3, "permits", "permits of 3 must be at most 2, all that semaphore \"db\" has")]
    [InlineData(2, true, -1, "permits", "permits of -1 must be at least 1, or 0 for 1")]
    public void Bad_numbers_are_named(int initial, bool bounded, int permits, string field, string message)
    {
        var error = Acquire(_ann, "db", permits, initial, bounded).Fails(ObjectErrorReason.Invalid);
        Assert.Equal((field, message), (error.Field, error.Message));
        Assert.Equal(0, _harness.View.ObjectCount);
    }

    [Fact]
    public void Bad_names_and_times_are_named()
    {
        Assert.Equal("semaphore", Acquire(_ann, new string('x', 129), initial: 1).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("semaphore", Acquire(_ann, "").Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("semaphore", Release(_ann, "no spaces").Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("permits", Release(_ann, "db", -2).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("timeout", Acquire(_ann, "db", initial: 1, timeout: TimeSpan.FromSeconds(-1)).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("lease", _harness.Apply(new AcquireSemaphore("db")
        {
            Session = _ann,
            InitialPermits = 1,
            Lease = TimeSpan.FromSeconds(1)
        }).Fails(ObjectErrorReason.Invalid).Field);
    }

    [Fact]
    public void Without_a_session_the_permits_live_for_the_lease()
    {
        var grant = _harness.Apply(new AcquireSemaphore("db") { InitialPermits = 1, Bounded = true, Lease = TimeSpan.FromSeconds(5) })
            .Get<AcquireSemaphoreOutcome>();
        Assert.True(grant.Session!.IsImplicit);
        var waiter = _harness.Apply(new AcquireSemaphore("db"));
        _harness.Advance(TimeSpan.FromSeconds(5));
        var next = waiter.Get<AcquireSemaphoreOutcome>().Session!;
        Release(next, "db");
        Assert.True(next.HasEnded);
        Assert.Equal(0, _harness.View.ObjectCount);
    }

    [Fact]
    public void A_timeout_is_a_result_and_lets_who_stands_behind_pass()
    {
        Acquire(_ann, "db", 1, initial: 2);
        var two = Acquire(_bob, "db", 2, timeout: TimeSpan.FromSeconds(1));
        var one = Acquire(_cid, "db", 1);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new AcquireSemaphoreOutcome(WaitStatus.Timeout, null, 1), two.Outcome);
        Assert.Equal(WaitStatus.Ok, one.Get<AcquireSemaphoreOutcome>().Status);
    }

    [Fact]
    public void Permits_that_could_not_be_delivered_go_to_the_next_in_line()
    {
        var lost = Acquire(_ann, "db", 2, initial: 2);
        var next = Acquire(_bob, "db", 1);
        _harness.Apply(new CompensateDelivery(lost.Delivery!.Value));
        Assert.Equal(WaitStatus.Ok, next.Get<AcquireSemaphoreOutcome>().Status);
        Assert.Equal(0, _ann.HoldCount);
        // A signal that could not be delivered remains available.
        Acquire(_ann, "signal", initial: 0, bounded: false, timeout: TimeSpan.Zero);
        Release(null, "signal");
        _harness.Apply(new CompensateDelivery(Acquire(_ann, "signal").Delivery!.Value));
        Assert.Equal(WaitStatus.Ok, Acquire(_bob, "signal").Get<AcquireSemaphoreOutcome>().Status);
    }

    [Fact]
    public void A_cycle_over_a_semaphore_and_a_lock_is_a_deadlock_unless_anybody_may_release()
    {
        Acquire(_ann, "db", 2, initial: 2);
        _harness.Acquire(_bob, "build");
        Assert.NotNull(_harness.Acquire(_ann, "build").Wait);
        var edges = Acquire(_bob, "db").Fails(ObjectErrorReason.Deadlock).Cycle!.Edges;
        Assert.Equal([("semaphores/db", _ann), ("locks/build", _bob)], edges.Select(edge => (edge.ObjectName, edge.Holder!)));
        // Once a session has released a permit that it did not hold, any session may do so: the next releaser is unknown.
        Release(_cid, "db");
        Assert.NotNull(Acquire(_bob, "db", 2).Wait);
    }

    [Fact]
    public void Its_own_last_permit_is_waited_for_as_with_a_lock()
    {
        Acquire(_ann, "db", 1, initial: 1);
        Assert.NotNull(Acquire(_ann, "db").Wait);
        Acquire(_ann, "open", 1, initial: 1, bounded: false);
        Assert.NotNull(Acquire(_ann, "open").Wait);
    }

    private Call Acquire(
        Session? session, string name, int permits = 1, int? initial = null, bool bounded = true, TimeSpan? timeout = null) =>
        _harness.Apply(new AcquireSemaphore(name, permits)
        {
            Session = session,
            InitialPermits = initial,
            Bounded = initial is not null
            && bounded,
            Timeout = timeout
        });

    private Call Release(Session? session, string name, int permits = 1) =>
        _harness.Apply(new ReleaseSemaphore(name, permits) { Session = session });
}
