using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>
/// The shell blocks of a page are run by one bash, in their order and as they are printed, against a coordinator of their own. A comment
/// states the exit code of a command that fails: <c># exits with 1</c>, or <c># may exit with 1</c>.
/// </summary>
[Trait("Kind", "slow")]
public sealed partial class DocumentationShellTests
{
    private const UnixFileMode OwnerMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>
    /// Runs a script command by command in one shell, and writes down the first and the last line of each with its exit code. A command
    /// continues behind a backslash or a pipe, and while it cannot be parsed.
    /// </summary>
    private const string Driver = """
        set -o pipefail
        exec 3< "$1" 4> "$2"
        __buffer="" __line=0 __first=1
        while IFS= read -r -u 3 __text; do
            __line=$((__line + 1))
            [[ -n $__buffer ]] || __first=$__line
            __buffer+=$__text$'\n'
            if [[ $__text == *\\ || $__text == *'|' ]] || ! bash -n <<< "$__buffer" 2> /dev/null; then continue; fi
            eval "$__buffer"
            echo "$__first $__line $?" >&4
            __buffer=""
        done
        [[ -z $__buffer ]] || echo "$__first $__line 2" >&4
        """;

    private static readonly string[] s_tools = ["buf", "curl", "jq", "openssl"];

    public static TheoryData<string> Pages => [.. ToRun().Select(block => block.Page).Distinct()];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Its_blocks_run_as_printed(string page)
    {
        var blocks = ToRun().Where(block => block.Page == page).ToArray();
        foreach (var tool in s_tools.Where(tool => blocks.Any(block => Regex.IsMatch(block.Text, $@"\b{tool}\b"))))
            ExternalTool.Require(tool, tool);
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--worker-grpc");
        using var folder = new TemporaryDirectory();
        using var home = new TemporaryDirectory();
        LinkRepository(folder.Path);
        Directory.CreateDirectory(Path.Combine(home.Path, ".local", "state"));
        Directory.CreateSymbolicLink(Path.Combine(home.Path, ".local", "state", "orchestrator"), coordinator.DataDirectory);
        var lines = LinesOf(blocks, coordinator);
        using var command = new TemporaryDirectory();
        LinkCommand(command.Path);

        var (ends, output) = await RunAsync(lines, folder.Path, new Dictionary<string, string>
        {
            ["HOME"] = home.Path,
            ["ORCHESTRATOR_DATA_DIR"] = coordinator.DataDirectory,
            ["PATH"] = string.Join(':', command.Path,
                Environment.GetEnvironmentVariable("PATH"), Repository.PathOf("artifacts", "tools", "node_modules", ".bin")),
        });

        Assert.True(ends.Length > 0 && ends[^1].Last == lines.Length, $"{page} did not run to its end: {output}");
        var faults = ends.Where(end => !end.IsExpected).Select(end => $"{page}:{end.First} ended with {end.Code}: {end.Command}").ToArray();
        Assert.True(faults.Length == 0, $"{string.Join('\n', faults)}\n{output}");
    }

    [Fact]
    public async Task A_command_that_ends_otherwise_than_stated_is_seen()
    {
        int[] faulty = [2, 4, 6];
        using var folder = new TemporaryDirectory();
        var (ends, _) = await RunAsync(
            [
                "true", "false", "false   # exits with 1", "true   # exits with 1", "false   # may exit with 1", "for i in 1 2; do",
                "  false", "done",
            ],
            folder.Path,
            []);
        Assert.Equal(faulty, ends.Where(end => !end.IsExpected).Select(end => end.First));
        Assert.Equal(8, ends[^1].Last);
    }

    [Fact]
    public async Task Blocks_that_are_not_run_can_be_parsed()
    {
        var faults = new List<string>();
        foreach (var block in Documentation.Blocks("sh").Where(block => block.NoRun is not null))
        {
            var parsed = await ExternalTool.RunAsync("/bin/bash", ["-n", "-c", block.Text]);
            if (parsed.ExitCode != 0)
                faults.Add($"{block}: {parsed.Error}");
        }

        Assert.Empty(faults);
    }

    /// <summary>Calls of the contract are run by <see cref="DocumentationCallTests"/>, which knows the ids that they need.</summary>
    [Fact]
    public void A_block_with_calls_of_the_contract_holds_nothing_else() =>
        Assert.Empty(Documentation.Blocks("sh").Where(DocumentationCallTests.HasCalls).Where(
            block => !DocumentationCallTests.HasOnlyCalls(block)).Select(block => block.ToString()));

    private static IEnumerable<DocumentationBlock> ToRun() =>
        Documentation.Blocks("sh").Where(
            block => block.NoRun is null && block.Info != DocumentationBlock.Packages && !DocumentationCallTests.HasCalls(block));

    /// <summary>The blocks at the lines where they are on their page, with the ports of this coordinator.</summary>
    private static string[] LinesOf(DocumentationBlock[] blocks, CoordinatorProcess coordinator)
    {
        var lines = new List<string>();
        foreach (var block in blocks)
        {
            lines.AddRange(Enumerable.Repeat("", block.Line - 1 - lines.Count));
            lines.AddRange(block.Text.TrimEnd('\n')
                .Replace("127.0.0.1:7600", new Uri(coordinator.GrpcAddress).Authority, StringComparison.Ordinal)
                .Replace("127.0.0.1:7601", new Uri(coordinator.HttpAddress).Authority, StringComparison.Ordinal)
                .Split('\n'));
        }

        return [.. lines];
    }

    /// <summary>The command that is tested, and the one that was built for the guide, whose rows native code does not run.</summary>
    private static void LinkCommand(string folder)
    {
        var path = Path.Combine(folder, "orchestrator");
        File.WriteAllText(
            path,
            $"""
            #!/bin/sh
            [ "$1" = guide ] && exec '{CoordinatorProcess.BuiltCommandPath}' "$@"
            exec '{CoordinatorProcess.CommandPath}' "$@"

            """);
        File.SetUnixFileMode(path, OwnerMode);
    }

    /// <summary>The repository's own files in a folder that the blocks may write to.</summary>
    private static void LinkRepository(string folder)
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(Repository.Root))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith('.') || name == "artifacts")
                continue;
            if (Directory.Exists(path))
                Directory.CreateSymbolicLink(Path.Combine(folder, name), path);
            else
                File.CreateSymbolicLink(Path.Combine(folder, name), path);
        }
    }

    /// <summary>Runs the lines of a script; returns how each command ended, and all that was printed.</summary>
    private static async Task<(Outcome[] Ends, string Output)> RunAsync(
        string[] lines, string folder, Dictionary<string, string> environment)
    {
        using var files = new TemporaryDirectory();
        var (script, outcomes) = (Path.Combine(files.Path, "script"), Path.Combine(files.Path, "outcomes"));
        await File.WriteAllLinesAsync(script, lines, TestContext.Current.CancellationToken);
        var start = new ProcessStartInfo("/bin/bash", ["-c", Driver, "page", script, outcomes])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"bash did not end within {Limit}: {await output}{await error}");
        }

        return ([.. File.ReadLines(outcomes).Select(line => Outcome.Parse(line, lines))], await output + await error);
    }

    /// <summary>How a command of a page ended.</summary>
    private sealed record Outcome(int First, int Last, int Code, string Command)
    {
        public bool IsExpected => Expectation().Match(Command) switch
        {
            { Success: false } => Code == 0,
            var match when match.Groups["must"].Success => Code == Number(match.Groups["must"].Value),
            var match => Code == 0 || Code == Number(match.Groups["may"].Value),
        };

        public static Outcome Parse(string line, string[] lines) => line.Split(' ') is [var first, var last, var code]
            ? new Outcome(Number(first), Number(last), Number(code), string.Join('\n', lines[(Number(first) - 1)..Number(last)]))
            : throw new FormatException($"'{line}' is no outcome");

        private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"#.*\bexits with (?<must>\d+)|#.*\bmay exit with (?<may>\d+)")]
    private static partial Regex Expectation();
}
