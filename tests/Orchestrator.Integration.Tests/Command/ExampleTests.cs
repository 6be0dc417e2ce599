using System.Diagnostics;
using System.Text.RegularExpressions;
using Orchestrator.Cli.Tests;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>Examples of every verb's help are run by a shell as they are printed, against a real coordinator.</summary>
/// <remarks>
/// The first example of each verb is run; all of them with ORCHESTRATOR_ALL_EXAMPLES=1, as <c>scripts/accept examples</c> does. Changes
/// only what would reach beyond the test: <c>serve</c> uses free ports and folders of the test, and benches run briefly. Examples that
/// follow output are ended by Ctrl-C in a terminal, once they have shown something.
/// </remarks>
[Trait("Kind", "slow")]
public sealed partial class ExampleTests(ExampleStage stage) : IClassFixture<ExampleStage>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(100);

    /// <summary>Shell commands that prepare an example.</summary>
    private static readonly Dictionary<string, string> Before = new(StringComparer.Ordinal)
    {
        ["queue create"] = "orchestrator queue delete jobs; orchestrator queue create jobs-dead",
        ["queue put"] = FreshQueue,
        ["queue get"] = FreshQueue + "; seq 100 | orchestrator queue put jobs",
        ["queue join"] = FreshQueue,
        ["queue shutdown"] = FreshQueue,
        ["queue show"] = FreshQueue,
        ["queue delete"] = FreshQueue,
        ["pipe create"] = NoPipe,
        ["pipe send"] = FreshPipe,
        ["pipe receive"] = FreshPipe + "; seq 3 | orchestrator pipe send p B",
        ["pipe close"] = FreshPipe,
        ["dict get"] = "orchestrator dict set config retries 3",
        ["dict delete"] = "orchestrator dict set config retries 3",
        ["dict show"] = "orchestrator dict set config retries 3",
        ["dict delete-all"] = "orchestrator dict set NAME key 1",
        ["list pop"] = "orchestrator list append log a b c",
        ["list show"] = "orchestrator list append log a b c",
        ["list delete-all"] = "orchestrator list append NAME a",
        ["value get"] = "orchestrator value set visits 1",
        ["value delete-all"] = "orchestrator value set NAME 1",
        ["array show"] = "orchestrator array set histogram 3 1 --length 10",
        ["array delete-all"] = "orchestrator array set NAME 3 1 --length 10",
        ["event wait"] = "orchestrator event set ready",
        ["latch wait"] =
            "orchestrator latch count-down loaded --initial-count 3; orchestrator latch count-down loaded --by 2",
        ["barrier reset"] = "orchestrator barrier wait start --parties 3 --timeout 0s",
        ["barrier wait"] =
            "orchestrator barrier reset start; orchestrator barrier wait start --parties 3 & orchestrator barrier wait start --parties 3 &",
        ["limiter take"] = "orchestrator limiter create api --permits 100 --period 1s",
        ["limiter delete"] = "orchestrator limiter create api --permits 100 --period 1s",
        ["token create"] = "orchestrator token revoke grafana",
        ["token revoke"] = "orchestrator token create --role observe --id grafana",
    };

    /// <summary>Examples that run until they are ended: what each has shown by then, and the key that ends it.</summary>
    private static readonly Dictionary<string, (string Shows, string Key)> Followers = new(StringComparer.Ordinal)
    {
        ["serve"] = ("Orchestrator is ready", "\x03"),
        ["events"] = ("pid ", "\x03"),
        ["top"] = ("q quit", "q"),
        ["demo"] = ("Measuring", "\x03"),
    };

    private static readonly string[] s_measuredElsewhere = ["bench queue", "bench pipe", "bench state", "bench lock", "bench compare"];

    private static readonly bool s_runsAll = Environment.GetEnvironmentVariable("ORCHESTRATOR_ALL_EXAMPLES") == "1";

    private const string FreshQueue = "orchestrator queue delete jobs; orchestrator queue create jobs";
    private const string NoPipe = "orchestrator pipe close p A; orchestrator pipe close p B";
    private const string FreshPipe = NoPipe + "; orchestrator pipe create p";

    public static TheoryData<string, string> Examples =>
        [.. from verb in VerbTree.All() from example in ExamplesHelp.Of(verb.Command).Take(s_runsAll ? int.MaxValue : 1)
            select (verb.Words, example)];

    [Fact]
    public void Every_verb_has_an_example_and_what_is_named_here_exists()
    {
        Assert.Empty(VerbTree.Leaves.Where(leaf => ExamplesHelp.Of(leaf.Command).Count == 0).Select(leaf => leaf.Words));
        Assert.Empty(Before.Keys.Concat(Followers.Keys).Except(VerbTree.Leaves.Select(leaf => leaf.Words)));
        Assert.NotEmpty(ExamplesHelp.Of(Cli.CommandLine.Root));
    }

    /// <summary>Bash splits the lines, with a function in the command's place that writes its arguments down.</summary>
    [Fact]
    public async Task All_of_them_are_accepted_by_the_parser()
    {
        var written = Path.Combine(stage.Folder, "arguments");
        var examples = VerbTree.All().SelectMany(verb => ExamplesHelp.Of(verb.Command)).Where(
            example => !example.StartsWith("scripts/", StringComparison.Ordinal)).ToList();
        var script =
            """orchestrator() { printf '%s\x1f' "$@" >> "$WRITTEN"; printf '\x1e' >> "$WRITTEN"; }; command_not_found_handle() { :; };"""
            + "\n" + string.Join('\n', examples);
        await RunAsync(script, new Dictionary<string, string> { ["WRITTEN"] = written });

        var lines = File.ReadAllText(written).Split('\x1e', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length >= examples.Count, $"{lines.Length} command lines were found in {examples.Count} examples");
        Assert.All(
            lines.Where(line => !line.Contains('@', StringComparison.Ordinal)),
            line => Assert.Empty(Cli.CommandLine.Root.Parse(line.TrimEnd('\x1f').Split('\x1f')).Errors));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task It_works_as_printed(string words, string example)
    {
        if (example.StartsWith("scripts/", StringComparison.Ordinal))
        {
            // These build the command that runs this test.
            var script = Repository.PathOf(example.Split(' ')[0].Split('/'));
            Assert.True(File.Exists(script) && (File.GetUnixFileMode(script) & UnixFileMode.UserExecute) != 0, $"{script} cannot be run");
            return;
        }

        var environment = await stage.EnvironmentAsync(words, example);
        if (Before.TryGetValue(words, out var before))
            await RunAsync(before, environment);
        var line = Adapt(words, example).Replace("/var/lib/orchestrator", environment["ORCHESTRATOR_DATA_DIR"], StringComparison.Ordinal);
        var isPlain = example.Contains("--once", StringComparison.Ordinal);
        // Of the benches that ObjectBenchTests omits, one example each runs to its end; the others only start, which their first line
        // shows.
        var isLong = example == "orchestrator guide --all"
            || (words.StartsWith("bench ", StringComparison.Ordinal)
                && (s_measuredElsewhere.Contains(words)
                    || example != ExamplesHelp.Of(VerbTree.Leaves.Single(leaf => leaf.Words == words).Command)[0]));
        if ((Followers.TryGetValue(words, out var follower) && !isPlain) || isLong)
        {
            await using var terminal = TerminalProcess.Shell(line, environment, stage.Folder);
            await terminal.SeeAsync(isLong ? "\n" : follower.Shows);
            await terminal.PressAsync(isLong ? "\x03" : follower.Key);
            var end = await terminal.EndAsync();
            Assert.True(end is ExitCode.Ok or 130, $"{line} ended with {end}: {terminal.Raw}");
            return;
        }

        var (code, output) = await RunAsync(line, environment);
        // Only a quiet machine can judge whether a threshold is met.
        var measures = words.StartsWith("bench ", StringComparison.Ordinal) || words == "load";
        Assert.True(code == ExitCode.Ok || (measures && code == ExitCode.ThresholdMissed), $"{line} ended with {code}: {output}");
    }

    private string Adapt(string words, string example)
    {
        if (words == "serve")
        {
            var line = example.Replace("/tmp/mine", Path.Combine(stage.Folder, "mine"), StringComparison.Ordinal)
                .Replace("/srv/data", stage.Folder, StringComparison.Ordinal);
            return line.Contains("--grpc-port", StringComparison.Ordinal) ? line : line + " --grpc-port 0 --http-port 0";
        }

        if (words == "load")
            return Duration().Replace(example, " --duration 1s");
        if (!words.StartsWith("bench ", StringComparison.Ordinal) || example.Contains("--idle", StringComparison.Ordinal))
            return Idle().Replace(example, "--idle 100");
        var shape = words == "bench compare" && !example.Contains("--task-time", StringComparison.Ordinal) ? " --task-time 10us" : "";
        var options = VerbTree.Leaves.Single(leaf => leaf.Words == words).Command.Options;
        var rounds = options.Any(option => option.Name == "--rounds") ? " --rounds 1" : "";
        var length = options.Any(option => option.Name == "--duration")
            ? " --duration " + (words == "bench overload" ? "2s" : "50ms") : " --count 1000";
        return Count().Replace(Rounds().Replace(Duration().Replace(example, ""), ""), "") + length + rounds + shape;
    }

    private async Task<(int Code, string Output)> RunAsync(string line, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("bash", ["-o", "pipefail", "-c", line])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = stage.Folder,
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
            throw new TimeoutException($"{line} did not end within {Limit}: {await output}{await error}");
        }

        // A background process of the example holds the pipes open until it ends.
        return line.Contains('&', StringComparison.Ordinal) ? (process.ExitCode, "") : (process.ExitCode, await output + await error);
    }

    [GeneratedRegex(@" --duration \S+")]
    private static partial Regex Duration();

    [GeneratedRegex(@" --rounds \S+")]
    private static partial Regex Rounds();

    [GeneratedRegex(@" --count \S+")]
    private static partial Regex Count();

    [GeneratedRegex(@"--idle \d+")]
    private static partial Regex Idle();
}
