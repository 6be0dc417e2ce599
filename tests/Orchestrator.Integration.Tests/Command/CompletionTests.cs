using System.Diagnostics;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Completion in each shell, with the script that the command prints.</summary>
public sealed class CompletionTests
{
    // What bash does when Tab is pressed at the end of the line.
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

    public static TheoryData<string, string[]> Lines => new()
    {
        { "orchestrator wor", ["workers"] },
        { "orchestrator queue sh", ["show", "shutdown"] },
        { "orchestrator run echo --placement ", ["async", "sequential", "threads", "worker"] },
        { "orchestrator run --place", ["--placement"] },
        { "orchestrator completion z", ["zsh"] },
        { "orchestrator nothing-like-it", [] },
    };

    [Fact]
    public void Nothing_that_looks_like_a_path_is_an_option() =>
        Assert.DoesNotContain(
            Cli.CommandLine.Root.Options.SelectMany(option => option.Aliases.Append(option.Name)), name => name.StartsWith('/'));

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Bash(string line, string[] expected) =>
        Assert.Equal(
            expected, (await RunAsync("bash", ["--norc", "-c", Press, "bash", line])).Split('\n', StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task Fish(string line, string[] expected)
    {
        const string Complete = "source (orchestrator completion fish | psub); complete -C $argv[1]";
        var offered = await RunAsync(ExternalTool.Require("fish", "fish"), ["--no-config", "-c", Complete, line]);
        Assert.Equal(expected, offered.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <remarks>Zsh completes only in its line editor, so the test gives it a terminal and keys.</remarks>
    [Theory]
    [InlineData("source <(orchestrator completion zsh)")]
    [InlineData("fpath=($PWD $fpath); orchestrator completion zsh > _orchestrator; compinit -D -u")]
    public async Task Zsh(string install)
    {
        using var folder = new TemporaryDirectory();
        var zsh = ExternalTool.Require("zsh", "zsh");
        await using var terminal = TerminalProcess.Shell($"exec {zsh} -f", Environment(folder.Path), folder.Path);
        // Ctrl-X Ctrl-B prints the current line. The quotes keep the echo of typed text from matching the expected output.
        await terminal.PressAsync("show() { zle -I; print -r -- \"<$BUFFER>\"; BUFFER= }; zle -N show; bindkey '^X^B' show\n");
        await terminal.PressAsync($"autoload -Uz compinit && compinit -D -u; {install}; print rea''dy\n");
        await terminal.SeeAsync("ready");
        await CompleteAsync("orchestrator wor", "<orchestrator workers >");
        await CompleteAsync("true; orchestrator run echo --place", "<true; orchestrator run echo --placement >");
        await CompleteAsync("orchestrator nothing-like-it", "<orchestrator nothing-like-it>");
        await terminal.PressAsync("orchestrator queue sh\t");
        await terminal.SeeAsync("show");
        await terminal.SeeAsync("shutdown");
        await terminal.PressAsync("\u0015exit\n");
        Assert.Equal(0, await terminal.EndAsync());

        async Task CompleteAsync(string typed, string expected)
        {
            await terminal.PressAsync(typed + "\t\x18\x02");
            await terminal.SeeAsync(expected);
        }
    }

    [Fact]
    public async Task Every_verb_is_offered()
    {
        var offered = (await RunAsync("bash", ["--norc", "-c", Press, "bash", "orchestrator "])).Split(
            '\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(Cli.CommandLine.Root.Subcommands.Select(verb => verb.Name).Except(offered));
    }

    private static Dictionary<string, string> Environment(string home) => new()
    {
        ["HOME"] = home,
        ["PATH"] = Path.GetDirectoryName(CoordinatorProcess.CommandPath) + ":" + System.Environment.GetEnvironmentVariable("PATH"),
    };

    private static async Task<string> RunAsync(string shell, string[] arguments)
    {
        // An empty folder: where no completion of the command's fits, shells offer files.
        using var folder = new TemporaryDirectory();
        var start = new ProcessStartInfo(shell, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path
        };
        foreach (var (name, value) in Environment(folder.Path))
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(process.ExitCode == 0, $"{shell} ended with {process.ExitCode}: {await error}");
        return await output;
    }
}
