using CsCheck;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Tests.Commands;

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

    [Fact]
    public void Words_in_single_quotes_come_back_whole() =>
        Gen.String.Where(word => !word.Contains('\'', StringComparison.Ordinal)).Array[1, 5].Sample(words =>
            Assert.Equal(words, CommandSplitter.Split(string.Join(' ', words.Select(word => $"'{word}'")))));

    [Fact]
    public void Words_with_each_character_escaped_come_back_whole() =>
        Gen.String[1, 10].Array[1, 5].Sample(words => Assert.Equal(
            words, CommandSplitter.Split(string.Join("  ", words.Select(word => string.Concat(word.Select(c => $"\\{c}")))))));
}
