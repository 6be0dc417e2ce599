using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Valid and invalid values of <c>--worker-command</c>.</summary>
public sealed class WorkerCommandsTests
{
    [Theory]
    [InlineData("python=2", "colon")]
    [InlineData("python=two:python3 w.py", "'two' is not a number of workers from 1 to 1024")]
    [InlineData("python=0:python3 w.py", "'0' is not a number of workers")]
    [InlineData("python=1025:python3 w.py", "'1025' is not a number of workers")]
    [InlineData("python=:python3 w.py", "'' is not a number of workers")]
    [InlineData("Python=2:python3 w.py", "'Python' is not a group's name")]
    [InlineData("python=2:  ", "no command after the colon")]
    [InlineData("python=2:'python3 w.py", "a quote without an end")]
    [InlineData("", "empty")]
    public void A_wrong_one_is_refused_with_what_would_be_right(string value, string expected) =>
        Assert.Contains(expected, Assert.Throws<UsageException>(() => WorkerCommands.Read([value])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Groups_with_one_name_are_refused_before_anything_starts()
    {
        var run = await TestKit.CommandLine.RunAsync(
            "serve", "--worker-command", "a=1:x", "--worker-command", "a=2:y", "--worker-command", "worker=1:z");
        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("2 worker groups are named 'a'", run.Output, StringComparison.Ordinal);
        Assert.Contains("the name of the first group", run.Output, StringComparison.Ordinal);
    }
}
