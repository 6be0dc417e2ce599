using System.Globalization;
using Orchestrator.Cli.Tests;
using Orchestrator.Cli.Common;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Each verb's error output and exit code when something is wrong: one line that says what to do.</summary>
public sealed class VerbErrorTests(VerbErrorTests.Coordinators coordinators) : IClassFixture<VerbErrorTests.Coordinators>
{
    /// <summary>Verbs that call no coordinator, each with the reason.</summary>
    private static readonly Dictionary<string, string> Local = new(StringComparer.Ordinal)
    {
        ["serve"] = "is the coordinator",
        ["bench scale"] = "starts coordinators of its own",
        ["completion"] = "prints a script",
        ["config show"] = "reads options only",
        ["guide"] = "starts a coordinator of its own",
        ["doctor"] = "a coordinator that does not answer is one of its findings, and its exit code is 1",
        ["journal accept"] = "works on the data directory",
        ["journal compact"] = "works on the data directory",
        ["journal dump"] = "works on the data directory",
        ["journal verify"] = "works on the data directory",
        ["token create"] = "works on the data directory",
        ["token list"] = "works on the data directory",
        ["token revoke"] = "works on the data directory",
        ["token rotate"] = "works on the data directory",
    };

    /// <summary>Verbs that submit tasks, and so are rejected by a draining coordinator.</summary>
    private static readonly string[] Submitters = ["run", "submit", "bench tasks", "bench pool", "bench compare", "demo"];

    public static TheoryData<string> Callers => [.. VerbTree.Leaves.Select(leaf => leaf.Words).Where(words => !Local.ContainsKey(words))];

    // Benches start processes of their own command, which is not this process.
    public static TheoryData<string> CallersOnce =>
        [.. VerbTree.Leaves.Select(leaf => leaf.Words).Where(words => !Local.ContainsKey(words) && !Submitters.Contains(words)
            && !words.StartsWith("bench ", StringComparison.Ordinal) && words != "load")];

    // Of the local verbs, those that print and do not change a coordinator.
    public static TheoryData<string> Printers =>
    [
        .. CallersOnce.Select(row => row.Data), "completion", "config show", "doctor", "journal dump", "journal verify", "token create",
        "token list",
    ];

    public static TheoryData<string> Refused => [.. Submitters];

    [Fact]
    public void Every_verb_that_is_named_here_exists() =>
        Assert.Empty(Local.Keys.Concat(Submitters).Except(VerbTree.Leaves.Select(leaf => leaf.Words)));

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task Nobody_answers(string words)
    {
        var line = await FailAsync(ExitCode.CannotConnect, [.. VerbTree.Line(words), "--endpoint", "http://127.0.0.1:1"], words);
        Assert.Contains("127.0.0.1:1", line, StringComparison.Ordinal);
        Assert.Contains("orchestrator serve", line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task None_was_started_in_the_directory(string words)
    {
        var line = await FailAsync(ExitCode.CannotConnect, [.. VerbTree.Line(words), "--data-dir", coordinators.Empty], words);
        Assert.Contains("orchestrator serve", line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task No_token(string words)
    {
        var line = await FailAsync(
            ExitCode.NotAllowed,
            [.. VerbTree.Line(words), "--endpoint", coordinators.Draining.GrpcAddress, "--data-dir", coordinators.Empty], words);
        Assert.Contains("token", line, StringComparison.Ordinal);
        Assert.Contains(coordinators.Empty, line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task A_wrong_token(string words)
    {
        var line = await FailAsync(
            ExitCode.NotAllowed,
            [.. VerbTree.Line(words), "--data-dir", coordinators.Draining.DataDirectory, "--token", new string('0', 64)], words);
        Assert.Contains("token", line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_submits_tasks_is_refused_by_a_coordinator_that_drains(string words)
    {
        var (code, output) = await TestKit.CommandLine.RunAsync(
            [.. VerbTree.Line(words), "--data-dir", coordinators.Draining.DataDirectory]);
        Assert.True(code == ExitCode.TaskFailed, $"{words} ended with {code}: {output}");
        // A verb may have begun to print; the error is one of its lines.
        var line = Assert.Single(output.Split('\n'), text => text.Contains("draining", StringComparison.Ordinal));
        Assert.Contains("the coordinator is draining and takes no new tasks; submit elsewhere", line, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(CallersOnce))]
    public async Task The_others_go_on_while_it_drains_or_say_in_one_line_why_not(string words)
    {
        var (code, _, error) = await RunAsync([.. VerbTree.Line(words), "--data-dir", coordinators.Draining.DataDirectory]);
        if (code != ExitCode.Ok)
            AssertOneLine(error, words);
        else
            Assert.DoesNotContain("orchestrator:", error, StringComparison.Ordinal);
        Assert.True(code is ExitCode.Ok or ExitCode.TaskFailed or ExitCode.Usage or ExitCode.TimedOut or ExitCode.Ended,
            $"{words} ended with {code}: {error}");
    }

    [Theory]
    [MemberData(nameof(Printers))]
    public async Task Json_is_json(string words)
    {
        var (code, output, error) = await RunAsync(
            [.. VerbTree.Line(words), "--data-dir", coordinators.Draining.DataDirectory, "-o", "json"]);
        if (code != ExitCode.Ok)
            AssertOneLine(error, words);
        foreach (var line in Documents(output))
        {
            using var _ = System.Text.Json.JsonDocument.Parse(line);
        }
    }

    [Theory]
    [InlineData("orchestrator: There is no command 'wrkers' here. Did you mean 'workers'? See 'orchestrator --help'.", "wrkers")]
    [InlineData("orchestrator: Required argument 'TASK' missing for command: 'logs'. See 'orchestrator logs --help'.", "logs")]
    [InlineData("orchestrator: Required argument 'NAME' missing for command: 'get'. See 'orchestrator queue get --help'.", "queue", "get")]
    [InlineData("'--no-such-option'", "status", "--no-such-option")]
    [InlineData("'soon' is not a time", "events", "--since", "soon")]
    public async Task A_wrong_command_line_is_one_line_too(string expected, params string[] arguments) =>
        Assert.Contains(expected, await FailAsync(ExitCode.Usage, arguments, arguments[0]), StringComparison.Ordinal);

    [Fact]
    public async Task A_full_queue_and_a_payload_beyond_its_limit_are_one_line()
    {
        string[] at = ["--data-dir", coordinators.Draining.DataDirectory];
        Assert.Equal(ExitCode.Ok, (await RunAsync(["queue", "create", "full", "--max-items", "1", .. at])).Code);
        Assert.Equal(ExitCode.Ok, (await RunAsync(["queue", "put", "full", "a", .. at])).Code);
        var full = await FailAsync(ExitCode.TimedOut, ["queue", "put", "full", "b", "--timeout", "0s", .. at], "queue put");
        Assert.Contains("'full'", full, StringComparison.Ordinal);
        var large = await FailAsync(ExitCode.TaskFailed, ["dict", "set", "large", "k", new string('x', 1_048_577), .. at], "dict set");
        Assert.Contains("[LIMIT_EXCEEDED]", large, StringComparison.Ordinal);
        Assert.Contains(
            1_048_576.ToString(CultureInfo.InvariantCulture), large.Replace(",", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("verify")]
    [InlineData("dump")]
    [InlineData("compact")]
    [InlineData("accept")]
    public async Task Without_a_journal_the_directory_is_named(string verb)
    {
        var missing = Path.Combine(coordinators.Empty, "missing");
        var nowhere = await FailAsync(ExitCode.Usage, ["journal", verb, "--data-dir", missing], verb);
        Assert.Contains($"there is no directory '{missing}'; --data-dir must name the data directory of a coordinator", nowhere,
            StringComparison.Ordinal);
        var empty = await FailAsync(ExitCode.TaskFailed, ["journal", verb, "--data-dir", coordinators.Empty], verb);
        Assert.Contains($"there is no journal '{coordinators.Empty}", empty, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(coordinators.Empty));
    }

    // A verb prints one document, or one per line.
    private static string[] Documents(string output)
    {
        try
        {
            using var _ = System.Text.Json.JsonDocument.Parse(output.Length == 0 ? "null" : output);
            return [];
        }
        catch (System.Text.Json.JsonException)
        {
            return output.TrimEnd('\n').Split('\n');
        }
    }

    private static async Task<string> FailAsync(int expected, string[] arguments, string words)
    {
        var (code, output, error) = await RunAsync(arguments);
        Assert.True(code == expected, $"{words} ended with {code}, not {expected}: {output}{error}");
        Assert.Equal("", output);
        return AssertOneLine(error, words);
    }

    private static string AssertOneLine(string error, string words)
    {
        var lines = error.TrimEnd('\n').Split('\n');
        Assert.True(lines.Length == 1 && lines[0].StartsWith("orchestrator: ", StringComparison.Ordinal), $"{words} said: {error}");
        return lines[0];
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string[] arguments)
    {
        // Options precede the words of another command.
        var common = Array.FindIndex(arguments, word => word is "--endpoint" or "--data-dir");
        var child = Array.IndexOf(arguments, "true");
        if (child >= 0 && common > child)
            arguments = [.. arguments[..child], .. arguments[common..], "--", .. arguments[child..common]];
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var code = await Cli.CommandLine.RunAsync(arguments, output, error).WaitAsync(TimeSpan.FromSeconds(60));
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>A draining coordinator and an empty directory.</summary>
    public sealed class Coordinators : IAsyncLifetime
    {
        public CoordinatorProcess Draining { get; private set; } = null!;

        public string Empty { get; } = Directory.CreateTempSubdirectory("orchestrator-test-").FullName;

        public async ValueTask InitializeAsync()
        {
            Draining = await CoordinatorProcess.StartAsync("--max-payload", "1MB");
            await Draining.Admin.DrainAsync(new V1.DrainRequest(), CoordinatorProcess.Deadline());
        }

        public async ValueTask DisposeAsync()
        {
            Directory.Delete(Empty, recursive: true);
            await Draining.DisposeAsync();
        }
    }
}
