using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>--worker-command</c> is split as a shell splits it.</summary>
public sealed class CommandSplitterTests
{
    [Theory]
    [InlineData("python3 worker.py", "python3", "worker.py")]
    [InlineData("  python3\t'my worker.py' \"--name=a b\" ''", "python3", "my worker.py", "--name=a b", "")]
    [InlineData("a\\ b c\"d\"e", "a b", "cde")]
    public void Words(string command, params string[] words) => Assert.Equal(words, CommandSplitter.Split(command));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("python3 'worker.py")]
    public void Nonsense(string command) => Assert.Throws<UsageException>(() => CommandSplitter.Split(command));
}
