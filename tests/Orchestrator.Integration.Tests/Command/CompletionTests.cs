using System.Diagnostics;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Completion as bash does it, with the script that the command prints.</summary>
public sealed class CompletionTests
{
    // What bash itself does when Tab is pressed at the end of the line.
    private const string Press =
        """
        source <(orchestrator completion bash) || exit 9
        [[ "$(complete -p orchestrator)" == *" -F _orchestrator orchestrator" ]] || exit 8
        COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}
        read -ra COMP_WORDS <<< "$1"
        [[ "$1" == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _orchestrator
        printf '%s\n' "${COMPREPLY[@]}"
        """;

    [Theory]
    [InlineData("orchestrator wor", "workers")]
    [InlineData("orchestrator queue sh", "show", "shutdown")]
    [InlineData("orchestrator run echo --placement ", "async", "sequential", "threads", "worker")]
    [InlineData("orchestrator run --place", "--placement")]
    [InlineData("orchestrator completion z", "zsh")]
    [InlineData("orchestrator nothing-like-it")]
    public async Task Bash(string line, params string[] expected) =>
        Assert.Equal(expected, (await RunAsync(Press, line)).Split('\n', StringSplitOptions.RemoveEmptyEntries));

    [Fact]
    public async Task Every_verb_is_offered()
    {
        var offered = (await RunAsync(Press, "orchestrator ")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(Cli.CommandLine.Root.Subcommands.Select(verb => verb.Name).Except(offered));
    }

    private static async Task<string> RunAsync(string script, string argument)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in (string[])["--norc", "-c", script, "bash", argument])
            start.ArgumentList.Add(word);
        start.Environment["PATH"] = Path.GetDirectoryName(CoordinatorProcess.CommandPath) + ":" + Environment.GetEnvironmentVariable("PATH");
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(process.ExitCode == 0, $"bash ended with {process.ExitCode}: {await error}");
        return await output;
    }
}
