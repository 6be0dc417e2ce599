using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Each row of the semantics page on latches.</summary>
public sealed class LatchTests
{
    private readonly ObjectHarness _harness = new();

    [Fact]
    public void It_counts_down_to_0_and_waiters_pass_from_then_on()
    {
        var waits = new[] { Wait(3), Wait() };
        Assert.Equal(1, Count(by: 2).Get<CountDownLatchOutcome>().Remaining);
        Assert.All(waits, wait => Assert.False(wait.HasOutcome));
        var last = Count(by: 0);
        Assert.Equal(0, last.Get<CountDownLatchOutcome>().Remaining);
        Assert.Equal([last, .. waits], _harness.Completed);
        Assert.All(waits, wait => Assert.Equal(new WaitLatchOutcome(WaitStatus.Ok, 0), wait.Outcome));
        Assert.Equal(WaitStatus.Ok, Wait(3).Get<WaitLatchOutcome>().Status);
    }

    [Fact]
    public void Below_0_is_an_error_and_changes_nothing()
    {
        Count(count: 3, by: 4).Fails(ObjectErrorReason.OverReleased);
        Assert.Equal(0, _harness.View.ObjectCount);
        Count(count: 3, by: 1);
        Assert.Equal(
            "latch \"ready\" has 2 left and cannot be counted down by 3", Count(by: 3).Fails(ObjectErrorReason.OverReleased).Message);
        Assert.Equal(0, Count(by: 2).Get<CountDownLatchOutcome>().Remaining);
        Count().Fails(ObjectErrorReason.OverReleased);
    }

    [Fact]
    public void A_timeout_says_what_is_left()
    {
        Assert.Equal(new WaitLatchOutcome(WaitStatus.Timeout, 5), Wait(5, TimeSpan.Zero).Outcome);
        var wait = Wait(timeout: TimeSpan.FromSeconds(1));
        Count(by: 2);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new WaitLatchOutcome(WaitStatus.Timeout, 3), wait.Outcome);
    }

    [Fact]
    public void Later_requests_agree_and_bad_input_is_named()
    {
        Wait().Fails(ObjectErrorReason.NotFound);
        Count().Fails(ObjectErrorReason.NotFound);
        Assert.Equal("count", Wait(-1).Fails(ObjectErrorReason.Invalid).Field);
        Wait(3);
        Assert.Equal("latch \"ready\" was created with a count of 3; 4 must agree or be left out", Wait(4)
            .Fails(ObjectErrorReason.KindMismatch).Message);
        Count(count: 4).Fails(ObjectErrorReason.KindMismatch);
        Assert.Equal("by", Count(by: -1).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("latch", _harness.Apply(new WaitLatch("", 1)).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Equal("latch", _harness.Apply(new WaitLatch("")).Fails(ObjectErrorReason.Invalid).Field);
    }

    [Fact]
    public void Open_or_untouched_it_goes_when_unused_and_in_between_it_stays()
    {
        _harness.Apply(new CountDownLatch("open", 1));
        _harness.Apply(new WaitLatch("untouched", 2) { Timeout = TimeSpan.Zero });
        _harness.Apply(new CountDownLatch("between", 2));
        _harness.Apply(new WaitLatch("waited", 2));
        _harness.Advance(TimeSpan.FromHours(1));
        Assert.Equal(2, _harness.View.ObjectCount);
        Assert.Equal(0, _harness.Apply(new CountDownLatch("between")).Get<CountDownLatchOutcome>().Remaining);
        _harness.Apply(new CountDownLatch("waited", By: 2));
        _harness.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, _harness.View.ObjectCount);
    }

    private Call Wait(long count = 0, TimeSpan? timeout = null) => _harness.Apply(new WaitLatch("ready", count) { Timeout = timeout });

    private Call Count(long count = 0, long by = 1) => _harness.Apply(new CountDownLatch("ready", count, by));
}
