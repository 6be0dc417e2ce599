using System.Text.Json;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>orchestrator guide</c>: every row is run through the command.</summary>
[Trait("Kind", "slow")]
public sealed class GuideTests(GuideOutput guide) : IClassFixture<GuideOutput>
{
    // Written by hand, so that a dropped or renamed row is noticed. The expected lines are ones that a row cannot print by chance.
    public static TheoryData<string, string> Rows => new()
    {
        { "pool",
            "✓ as_completed gives the first that ends first\n✓ BLOCKED is a task that runs\n✓ WAITING for another task is QUEUED\n✓ and " +
            "both go on" },
        { "daemon", "✓ the heartbeat has ended with it" },
        { "worker-local",
            "✓ each has one object, which is no other's\n✓ one process, two threads\n✓ each reads what it wrote: thread-local\n✓ the " +
            "worker's object is the same for both" },
        { "processes", "✓ none was computed in this process" },
        { "queue", "✓ all that was put was taken, in its order" },
        { "pipe", "✓ with this end closed the task reads the end of file" },
        { "manager", "✓ appending inside a value keeps all" },
        { "threads-vs-processes", "✓ processes do not" },
        { "async", "✓ its neighbour of 60 s was cancelled\n✓ as_completed over tasks of 300, 150 and 0 ms: 0, 150, 300" },
        { "limit", "✓ with a concurrency key of limit 3: at most 3 at once" },
        { "race", "✓ under a lock: one at a time, three round trips each: 400 in" },
        { "deadlock", "✓ the other one was not disturbed" },
        { "starvation", "and the flood still went on" },
        { "livelock", "✓ the progress counter shows it: 0 passed" },
        { "lock",
            "✓ never were two inside at once\n✓ lock.acquire(timeout=0.1) of another session: not acquired\n✓ released by hand it is the " +
            "other's" },
        { "rlock", "✓ a plain lock taken twice is reported as a deadlock of one" },
        { "semaphore", "✓ at most 3 were inside at once" },
        { "event", "✓ one set wakes all 3" },
        { "condition", "✓ the other waits on" },
        { "barrier", "✓ the barrier is broken for all who wait, and says by whom" },
        { "fifo", "✓ task_done once too often is refused" },
        { "lifo", "✓ the last in is the first out" },
        { "priority", "✓ high comes before medium before low" },
        { "bounded", "✓ put(block=False): full, at once" },
        { "run-in-executor", "✓ 64 of 64 blocking ones were still at it\n✓ at most 5 of them were under way at once" },
        { "producer-consumer", "✓ all 600 items in" },
        { "worker-pool", "✓ no process is left" },
        { "rate-limit", "ten at once, and five a second later" },
        { "metrics", "✓ tasks are counted by how they ended\nsuccess rate 90.00 %, average duration \n✓ every task has a duration" },
        // Part 5, 31.
        { "priority-inversion", "✓ cure: while others wait for its lock, the holder's task runs with the highest priority among them" },
        { "unbounded", "✓ with a concurrency key of limit 10: all 60 were served" },
        { "best-practices", "✓ System.InvalidOperationException: disk full" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_shows_what_it_claims(string name, string lines)
    {
        var output = guide.Of(name);
        Assert.SkipWhen(output.Contains("– skipped: ", StringComparison.Ordinal), output);
        Assert.All(lines.Split('\n'), line => Assert.Contains(line, output, StringComparison.Ordinal));
        Assert.DoesNotContain("✗", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_all_show_what_they_claim_end_with_0() => Assert.Equal(0, guide.ExitCode);

    /// <summary>Part 5, 31: the source of every row, from the command alone.</summary>
    [Fact]
    public async Task The_source_of_a_row_is_its_file()
    {
        var folder = Repository.PathOf("src", "Orchestrator.Cli", "Guide", "Rows");
        var (exit, output) = await CommandLine.RunAsync("guide", "--all", "--source", "-o", "json");
        Assert.Equal(0, exit);
        var rows = JsonDocument.Parse(output).RootElement.EnumerateArray().ToDictionary(
            row => row.GetProperty("file").GetString()!, row => row.GetProperty("source").GetString());
        Assert.Equal(Directory.EnumerateFiles(folder, "*.cs").Select(file => Path.GetFileName(file)!)
            .Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        foreach (var (file, source) in rows)
            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(folder, file)), source);
        // On its own, it is a file that compiles.
        Assert.Equal((0, rows["LifoRow.cs"]), await CommandLine.RunAsync("guide", "lifo", "--source"));
        var (noName, said) = await CommandLine.RunAsync("guide", "--source");
        Assert.Equal((2, "orchestrator: --source prints the source of rows: name one, or give --all.\n"), (noName, said));
    }

    [Fact]
    public async Task The_list_names_every_row_and_no_other()
    {
        var (exit, output) = await CommandLine.RunAsync("guide", "-o", "json");
        Assert.Equal(0, exit);
        var names = JsonDocument.Parse(output).RootElement.EnumerateArray().Select(row => row.GetProperty("name").GetString()!);
        Assert.Equal(Rows.Concat(GuideSpeedTests.Rows).Select(row => row.Data.Item1)
            .Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_unknown_row_is_told_with_those_that_there_are()
    {
        var (exit, output) = await CommandLine.RunAsync("guide", "dedlock");
        Assert.Equal(2, exit);
        Assert.Contains("'dedlock'", output, StringComparison.Ordinal);
        Assert.Contains("deadlock", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Native_code_says_which_command_runs_the_rows()
    {
        if (!CoordinatorProcess.IsNative)
            Assert.Skip("the tested command is not native code: ORCHESTRATOR_TEST_COMMAND names none");
        var (exit, output) = await CommandLine.RunAsync("guide", "lifo");
        Assert.Equal(2, exit);
        Assert.Contains("run them by the command of the tool's package", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_as_json_carry_their_claims()
    {
        var (exit, output) = await CommandLine.RunBuiltAsync("guide", "lifo", "priority", "-o", "json");
        Assert.Equal(0, exit);
        var rows = JsonDocument.Parse(output).RootElement.EnumerateArray().ToArray();
        Assert.Equal(["lifo", "priority"], rows.Select(row => row.GetProperty("name").GetString()));
        Assert.All(rows, row => Assert.Equal("shown", row.GetProperty("outcome").GetString()));
        Assert.All(rows, row => Assert.All(
            row.GetProperty("claims").EnumerateArray(), claim => Assert.True(claim.GetProperty("holds").GetBoolean())));
    }
}

/// <summary>
/// The rows on the speedup of several processes: valid only where nothing else uses the cores. Explicit: <c>scripts/accept times</c>.
/// </summary>
[Trait("Kind", "slow")]
public sealed class GuideSpeedTests
{
    public static TheoryData<string, string> Rows => new()
    {
        { "fundamentals", "✓ tasks of different workers ran at the same time" },
        { "gil", "each with a lock of its own\n✓ IO-bound threads of one interpreter wait at the same time" },
        { "cpu-vs-io", "✓ IO-bound, asynchronously: less than half of it\n✓ mixed, in workers: the waits at the same time" },
        { "blocking-in-async", "✓ and holds up others that have nothing to do with it" },
    };

    [Theory(Explicit = true)]
    [MemberData(nameof(Rows))]
    public async Task A_row_shows_what_it_claims(string name, string lines)
    {
        var (exit, output) = await CommandLine.RunBuiltAsync("guide", name);
        Assert.SkipWhen(exit == 0 && output.Contains("– skipped: ", StringComparison.Ordinal), output);
        Assert.True(exit == 0, output);
        Assert.All(lines.Split('\n'), line => Assert.Contains(line, output, StringComparison.Ordinal));
        Assert.DoesNotContain("✗", output, StringComparison.Ordinal);
    }
}

/// <summary>The output of <c>orchestrator guide</c> for these rows.</summary>
public sealed class GuideOutput : IAsyncLifetime
{
    // On one coordinator, well within the timeout of a command.
    private const int RowsAtOnce = 11;

    private readonly Dictionary<string, string> _rows = new(StringComparer.Ordinal);

    public int ExitCode { get; private set; }

    public async ValueTask InitializeAsync()
    {
        foreach (var some in GuideTests.Rows.Select(row => row.Data.Item1).Chunk(RowsAtOnce))
        {
            var (exit, output) = await CommandLine.RunBuiltAsync(["guide", .. some]);
            ExitCode = Math.Max(ExitCode, exit);
            // A row begins with its name and title, and ends with an empty line.
            foreach (var row in output.Split("\n\n"))
                _rows[row.Split(" · ")[0].Trim()] = row;
        }
    }

    public string Of(string row) => _rows.TryGetValue(row, out var output)
        ? output : throw new InvalidOperationException($"{row} was not run: exit code {ExitCode}, {string.Join('\n', _rows.Values)}");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
