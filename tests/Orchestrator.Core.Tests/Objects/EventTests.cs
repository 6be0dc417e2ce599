using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on events.</summary>
public sealed class EventTests
{
    private readonly ObjectHarness _harness = new();

    [Fact]
    public void Set_wakes_all_and_a_wait_returns_at_once_while_it_is_set()
    {
        var waits = new[] { Wait(), Wait(), Wait() };
        Assert.All(waits, wait => Assert.False(wait.HasOutcome));
        var set = Set(true);
        Assert.False(set.Get<SetEventOutcome>().WasSet);
        Assert.Equal([set, .. waits], _harness.Completed);
        Assert.All(waits, wait => Assert.Equal(WaitStatus.Ok, wait.Get<WaitEventOutcome>().Status));
        Assert.Equal(WaitStatus.Ok, Wait().Get<WaitEventOutcome>().Status);
        Assert.True(Set(true).Get<SetEventOutcome>().WasSet);
        Assert.True(Set(false).Get<SetEventOutcome>().WasSet);
        Assert.False(Set(false).Get<SetEventOutcome>().WasSet);
        var waiting = Wait();
        Set(false);
        Assert.False(waiting.HasOutcome);
    }

    [Fact]
    public void An_unset_event_without_waiters_costs_nothing()
    {
        var session = _harness.Session();
        Set(false);
        Assert.Equal(WaitStatus.Timeout, Wait(TimeSpan.Zero).Get<WaitEventOutcome>().Status);
        var late = Wait(TimeSpan.FromSeconds(1));
        var gone = Wait();
        var dead = _harness.Apply(new WaitEvent("go") { Session = session });
        Assert.Equal(1, _harness.View.ObjectCount);
        _harness.Abandon(gone);
        _harness.End(session);
        dead.Fails(ObjectErrorReason.SessionLost);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WaitStatus.Timeout, late.Get<WaitEventOutcome>().Status);
        Assert.Equal((0, 0), (_harness.View.ObjectCount, _harness.View.WaitCount));
        Set(true);
        Set(false);
        Assert.Equal(0, _harness.View.ObjectCount);
    }

    [Fact]
    public void A_wait_that_may_not_wait_leaves_no_event_behind()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxWaits = 0 });
        harness.Apply(new WaitEvent("go")).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal(0, harness.View.ObjectCount);
    }

    [Fact]
    public void Bad_input_is_named()
    {
        var name = _harness.Apply(new WaitEvent(new string('x', 200))).Fails(ObjectErrorReason.Invalid);
        Assert.Equal("event", name.Field);
        Assert.Contains("of 200 characters must be 1 to 128", name.Message, StringComparison.Ordinal);
        _harness.Apply(new SetEvent("a b", true)).Fails(ObjectErrorReason.Invalid);
        _harness.Apply(new SetEvent("a b", false)).Fails(ObjectErrorReason.Invalid);
        Assert.Equal("timeout", Wait(TimeSpan.FromTicks(-1)).Fails(ObjectErrorReason.Invalid).Field);
    }

    private Call Wait(TimeSpan? timeout = null) => _harness.Apply(new WaitEvent("go") { Timeout = timeout });

    private Call Set(bool set) => _harness.Apply(new SetEvent("go", set));
}
