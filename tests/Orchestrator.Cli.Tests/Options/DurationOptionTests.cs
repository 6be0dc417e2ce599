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
}
