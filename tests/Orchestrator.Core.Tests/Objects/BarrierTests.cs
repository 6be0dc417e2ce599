using Orchestrator.Core.Barriers;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on barriers.</summary>
public sealed class BarrierTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;

    public BarrierTests()
    {
        _ann = _harness.Session("ann", TimeSpan.FromHours(24));
        _bob = _harness.Session("bob", TimeSpan.FromHours(24));
    }

    [Fact]
    public void All_parties_get_a_distinct_index_and_then_it_is_ready_for_the_next_round()
    {
        for (var round = 0; round < 3; round++)
        {
            var waits = new[] { Wait(_ann), Wait(_bob, parties: 0) };
            Assert.All(waits, wait => Assert.False(wait.HasOutcome));
            var last = Wait(null);
            Assert.Equal([last, .. waits], _harness.Completed);
            Assert.Equal(
                [(2, round), (0, round), (1, round)],
                _harness.Completed.Select(call => call.Get<WaitBarrierOutcome>()).Select(
                    outcome => (outcome.Index, (int)outcome.Generation)));
        }
    }

    [Fact]
    public void A_barrier_of_one_never_waits() => Assert.Equal(new WaitBarrierOutcome(WaitStatus.Ok, 0, 0), Wait(_ann, parties: 1).Outcome);

    [Fact]
    public void A_timeout_breaks_it_for_all_until_reset()
    {
        var first = Wait(_ann);
        var second = Wait(_bob, timeout: TimeSpan.FromSeconds(2));
        _harness.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(WaitStatus.Timeout, second.Get<WaitBarrierOutcome>().Status);
        const string Message = "barrier \"meet\" is broken: the timeout of 2 s of s-5d906140 (\"bob\") passed";
        Assert.Equal(Message, first.Fails(ObjectErrorReason.BrokenBarrier).Message);
        // A second cause does not hide the first.
        Control(BarrierAction.Abort);
        Assert.Equal(Message, Wait(_ann).Fails(ObjectErrorReason.BrokenBarrier).Message);
        Assert.Equal(0, Control(BarrierAction.Reset).Get<ControlBarrierOutcome>().Waiting);
        Assert.NotNull(Wait(_ann).Wait);
    }

    [Fact]
    public void A_timeout_of_zero_is_a_party_that_will_not_come()
    {
        var first = Wait(_ann);
        Assert.Equal(WaitStatus.Timeout, Wait(_bob, timeout: TimeSpan.Zero).Get<WaitBarrierOutcome>().Status);
        Assert.Contains("timeout of zero", first.Fails(ObjectErrorReason.BrokenBarrier).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_one_may_come_with_a_timeout_of_zero()
    {
        Wait(_ann, parties: 2);
        Assert.Equal(1, Wait(_bob, parties: 2, timeout: TimeSpan.Zero).Get<WaitBarrierOutcome>().Index);
    }

    [Fact]
    public void The_death_of_a_waiter_breaks_it_for_all_with_the_cause()
    {
        var dead = Wait(_ann);
        var other = Wait(_bob);
        _harness.End(_ann);
        Assert.Equal([dead, other], _harness.Completed.Skip(1));
        dead.Fails(ObjectErrorReason.SessionLost);
        Assert.Equal(
            "barrier \"meet\" is broken: s-84097828 (\"ann\") has ended: worker-1#3 was killed by SIGKILL (9)",
            other.Fails(ObjectErrorReason.BrokenBarrier).Message);
        Wait(_bob).Fails(ObjectErrorReason.BrokenBarrier);
    }

    [Fact]
    public void Waiters_that_die_together_are_all_told_that_they_died()
    {
        var waits = new[] { Wait(_ann), Wait(_bob) };
        _harness.Apply(new EndSessions([_ann, _bob], SessionEndCause.WorkerLost, "gone"));
        Assert.All(waits, wait => wait.Fails(ObjectErrorReason.SessionLost));
    }

    [Fact]
    public void A_waiter_that_gives_up_breaks_it_too()
    {
        var gone = Wait(_ann);
        var other = Wait(_bob);
        _harness.Abandon(gone);
        Assert.Contains("gave up waiting", other.Fails(ObjectErrorReason.BrokenBarrier).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Abort_breaks_it_with_and_without_waiters_and_says_how_many_there_were()
    {
        var waits = new[] { Wait(_ann), Wait(_bob) };
        Assert.Equal(2, Control(BarrierAction.Abort).Get<ControlBarrierOutcome>().Waiting);
        Assert.All(
            waits, wait => Assert.Equal("barrier \"meet\" is broken: it was aborted", wait.Fails(ObjectErrorReason.BrokenBarrier).Message));
        Control(BarrierAction.Reset);
        Assert.Equal(0, Control(BarrierAction.Abort).Get<ControlBarrierOutcome>().Waiting);
        Wait(_ann).Fails(ObjectErrorReason.BrokenBarrier);
    }

    [Fact]
    public void A_reset_with_waiters_is_an_error_for_them_only()
    {
        var waits = new[] { Wait(_ann), Wait(_bob) };
        Assert.Equal(2, Control(BarrierAction.Reset).Get<ControlBarrierOutcome>().Waiting);
        Assert.All(
            waits, wait => Assert.Equal("barrier \"meet\" is broken: it was reset", wait.Fails(ObjectErrorReason.BrokenBarrier).Message));
        Assert.NotNull(Wait(_ann).Wait);
    }

    [Fact]
    public void A_reset_of_an_unbroken_barrier_without_waiters_does_nothing()
    {
        Wait(_ann, parties: 2);
        Wait(_bob, parties: 2);
        Assert.Equal(0, Control(BarrierAction.Reset).Get<ControlBarrierOutcome>().Waiting);
        Wait(_ann, parties: 2);
        Assert.Equal(1, Wait(_bob, parties: 2).Get<WaitBarrierOutcome>().Generation);
    }

    [Fact]
    public void Later_requests_agree_and_bad_input_is_named()
    {
        Wait(_ann, parties: 0).Fails(ObjectErrorReason.NotFound);
        Control(BarrierAction.Reset).Fails(ObjectErrorReason.NotFound);
        Assert.Contains(
            "parties of -3 must be at least 1", Wait(_ann, parties: -3).Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        Wait(_ann);
        var error = Wait(_bob, parties: 4).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal(("parties", "barrier \"meet\" was created for 3 parties; 4 must agree or be left out"), (error.Field, error.Message));
        Assert.Equal("action", Control((BarrierAction)7).Fails(ObjectErrorReason.Invalid).Field);
        _harness.Apply(new WaitBarrier("a b", 2)).Fails(ObjectErrorReason.Invalid);
    }

    [Fact]
    public void An_unused_one_goes_after_its_time_and_one_that_is_waited_for_does_not()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { IdleTtl = TimeSpan.FromMinutes(1) });
        harness.Apply(new WaitBarrier("one", 1));
        harness.Apply(new WaitBarrier("two", 2));
        harness.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, harness.View.ObjectCount);
        harness.Apply(new ControlBarrier("two", BarrierAction.Abort));
        harness.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, harness.View.ObjectCount);
        Assert.Null(harness.Engine.NextDeadline);
    }

    private Call Wait(Session? session, int parties = 3, TimeSpan? timeout = null) =>
        _harness.Apply(new WaitBarrier("meet", parties) { Session = session, Timeout = timeout });

    private Call Control(BarrierAction action) => _harness.Apply(new ControlBarrier("meet", action));
}
