using CsCheck;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Tests.Options;

/// <summary>Times on the command line.</summary>
public sealed class DurationOptionTests
{
    [Theory]
    [InlineData("250ms", 0.25)]
    [InlineData("2s", 2)]
    [InlineData("10us", 0.00001)]
    [InlineData("1.5m", 90)]
    [InlineData("1h", 3600)]
    [InlineData("3", 3)]
    public void Times(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), DurationOption.TryParse(text));

    [Theory]
    [InlineData(25_000, "25s")]
    [InlineData(90_000, "90s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(250, "250ms")]
    [InlineData(0.01, "10us")]
    [InlineData(0, "0s")]
    public void A_time_is_shown_in_its_largest_unit(double milliseconds, string text) =>
        Assert.Equal(text, new OptionTime(TimeSpan.FromMilliseconds(milliseconds)).ToString());

    [Fact]
    public void What_is_shown_is_read_as_the_same_time() =>
        Gen.Long[-TimeSpan.TicksPerDay, TimeSpan.TicksPerDay].Sample(
            ticks => Assert.Equal(TimeSpan.FromTicks(ticks), DurationOption.TryParse(new OptionTime(new TimeSpan(ticks)).ToString())));
}
