using Orchestrator.Cli;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>The command's exit codes and its arguments.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData(ExitCode.Ok, "--help")]
    [InlineData(ExitCode.Ok, "bench", "tasks", "--help")]
    [InlineData(ExitCode.Usage)]
    [InlineData(ExitCode.Usage, "no-such-verb")]
    [InlineData(ExitCode.Usage, "run")]
    [InlineData(ExitCode.Usage, "run", "echo", "--order", "backwards")]
    [InlineData(ExitCode.Usage, "run", "echo", "{not json")]
    [InlineData(ExitCode.Usage, "run", "echo", "--timeout", "soon")]
    [InlineData(ExitCode.Usage, "bench", "tasks", "--baseline", "--rate", "10")]
    [InlineData(ExitCode.Ok, "bench", "queue", "--help")]
    [InlineData(ExitCode.Usage, "bench", "queue", "--min-ratio", "1")]
    [InlineData(ExitCode.Usage, "bench", "queue", "--rounds", "0")]
    [InlineData(ExitCode.Usage, "bench", "queue", "--size", "7")]
    [InlineData(ExitCode.Usage, "bench", "state", "--max-bytes", "1000")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--size", "soon")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--kind", "gpu")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--kind", "io", "--size", "10us")]
    [InlineData(ExitCode.Usage, "bench", "compare", "--report", "/nonexistent/compare.html")]
    [InlineData(ExitCode.Usage, "load")]
    [InlineData(ExitCode.Usage, "load", "/nonexistent.json")]
    [InlineData(ExitCode.CannotConnect, "status", "--endpoint", "http://127.0.0.1:1")]
    [InlineData(ExitCode.CannotConnect, "run", "echo", "1", "--data-dir", "/nonexistent")]
    public async Task Exit_codes(int expected, params string[] args) => Assert.Equal(expected, await CommandLine.RunAsync(args));

    [Theory]
    [InlineData("250ms", 0.25)]
    [InlineData("2s", 2)]
    [InlineData("10us", 0.00001)]
    [InlineData("1.5m", 90)]
    [InlineData("1h", 3600)]
    [InlineData("3", 3)]
    public void Times(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), DurationOption.TryParse(text));
}
