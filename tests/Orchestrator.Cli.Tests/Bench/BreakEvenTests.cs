using Orchestrator.Cli.Bench.Compare;

namespace Orchestrator.Cli.Tests.Bench;

/// <summary>The task size from which worker processes pay off, interpolated from a few measurements.</summary>
public sealed class BreakEvenTests
{
    private static readonly TimeSpan s_micro = TimeSpan.FromMicroseconds(1);

    [Fact]
    public void Between_two_sizes_it_lies_on_the_line_over_the_logarithms()
    {
        // From a tenth of the speed to ten times the speed over two decades of size: break-even is in the middle.
        var size = BreakEven.Find([(s_micro, 0.1), (s_micro * 100, 10)], 1);
        Assert.Equal(10, size!.Value.TotalMicroseconds, 0.2);
    }

    [Fact]
    public void Where_it_pays_everywhere_it_is_zero() => Assert.Equal(TimeSpan.Zero, BreakEven.Find([(s_micro, 1), (s_micro * 10, 2)], 1));

    [Fact]
    public void Where_it_does_not_pay_at_the_largest_size_there_is_none()
    {
        Assert.Null(BreakEven.Find([(s_micro, 0.1), (s_micro * 10, 0.99)], 1));
        Assert.Null(BreakEven.Find([], 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    public void A_size_at_which_nothing_was_done_does_not_pay(double speed)
    {
        Assert.Equal(s_micro * 10, BreakEven.Find([(s_micro, speed), (s_micro * 10, 2)], 1));
        Assert.Null(BreakEven.Find([(s_micro, 2), (s_micro * 10, speed)], 1));
    }

    [Fact]
    public void One_fast_size_among_slow_ones_is_noise()
    {
        var size = BreakEven.Find([(s_micro, 2), (s_micro * 10, 0.5), (s_micro * 100, 2)], 1);
        Assert.InRange(size!.Value, s_micro * 10, s_micro * 100);
    }
}
