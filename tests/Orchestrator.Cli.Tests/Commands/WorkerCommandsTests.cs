using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary><c>--worker-command</c>: the groups that its values name.</summary>
public sealed class WorkerCommandsTests
{
    [Fact]
    public void A_plain_command_is_the_first_group_s()
    {
        var (first, more) = WorkerCommands.Read(["python3 'my worker.py' --fast"]);
        Assert.Equal(["python3", "my worker.py", "--fast"], first);
        Assert.Empty(more);
    }

    [Fact]
    public void Named_ones_are_groups_beside_it()
    {
        var (first, more) = WorkerCommands.Read(["python=2:python3 worker.py", "rust=1:/opt/rust:worker a=b:c"]);
        Assert.Null(first);
        Assert.Equal([("python", 2), ("rust", 1)], more.Select(group => (group.Name, group.Workers)));
        Assert.Equal(["python3", "worker.py"], more[0].Command);
        Assert.Equal(["/opt/rust:worker", "a=b:c"], more[1].Command);
    }

    [Theory]
    [InlineData("/opt/a=1:b/worker")]
    [InlineData("./worker --level=2:x")]
    [InlineData("'a=1:b'")]
    public void An_equals_sign_elsewhere_makes_no_group(string value) => Assert.NotNull(WorkerCommands.Read([value]).First);

    [Fact]
    public void A_second_one_without_a_name_is_refused() =>
        Assert.Contains(
            "NAME=COUNT:COMMAND", Assert.Throws<UsageException>(() => WorkerCommands.Read(["a", "b"])).Message, StringComparison.Ordinal);
}
