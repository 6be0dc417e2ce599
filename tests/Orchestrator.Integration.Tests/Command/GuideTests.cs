using System.Text.Json;
using Orchestrator.Integration.Tests.Client;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>orchestrator guide</c>: each row is run through the command, on a coordinator and workers of its own.</summary>
public sealed class GuideTests
{
    /// <summary>Part 5, 31: rows that the source document has and the guide had not.</summary>
    private static readonly Dictionary<string, string> s_together = new(StringComparer.Ordinal)
    {
        ["priority-inversion"] = "✓ cure: while others wait for its lock, the holder's task runs with the highest priority among them",
        ["unbounded"] = "✓ with a concurrency key of limit 10: all 60 were served",
    };

    // By hand, so that a row that is dropped or renamed is noticed. The lines are those that the row cannot print by chance.
    public static TheoryData<string, string> Rows => new()
    {
        { "pool", "✓ as_completed gives the first that ends first\n✓ BLOCKED is a task that runs\n✓ WAITING for another task is QUEUED\n✓ and both go on" },
        { "daemon", "✓ the heartbeat has ended with it" },
        { "worker-local", "✓ each has one object, which is no other's\n✓ one process, two threads\n✓ each reads what it wrote: thread-local\n✓ the worker's object is the same for both" },
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
        { "lock", "✓ never were two inside at once\n✓ lock.acquire(timeout=0.1) of another session: not acquired\n✓ released by hand it is the other's" },
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
        { "best-practices", "✓ System.InvalidOperationException: disk full" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public Task A_row_shows_what_it_claims(string name, string line) => RunAsync(name, line);

    /// <summary>Part 5, 31.</summary>
    [Fact]
    public async Task Rows_of_the_source_document_show_what_they_claim()
    {
        var (exit, output) = await CommandLine.RunAsync([.. s_together.Keys.Prepend("guide")]);
        Assert.True(exit == 0, output);
        Assert.All(s_together.Values, line => Assert.Contains(line, output, StringComparison.Ordinal));
        Assert.DoesNotContain("✗", output, StringComparison.Ordinal);
    }

    /// <summary>Part 5, 31: the source of every row, from the command alone.</summary>
    [Fact]
    public async Task The_source_of_a_row_is_its_file()
    {
        var folder = Repository.PathOf("src", "Orchestrator.Cli", "Guide", "Rows");
        var (exit, output) = await CommandLine.RunAsync("guide", "--all", "--source", "-o", "json");
        Assert.Equal(0, exit);
        var rows = JsonDocument.Parse(output).RootElement.EnumerateArray().ToDictionary(row => row.GetProperty("file").GetString()!, row => row.GetProperty("source").GetString());
        Assert.Equal(Directory.EnumerateFiles(folder, "*.cs").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        foreach (var (file, source) in rows)
            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(folder, file)), source);
        // Alone, it is a file that can be compiled.
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
        Assert.Equal(Rows.Concat(GuideSpeedTests.Rows).Select(row => row.Data.Item1).Concat(s_together.Keys).Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
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
    public async Task Rows_as_json_carry_their_claims()
    {
        var (exit, output) = await CommandLine.RunAsync("guide", "lifo", "priority", "-o", "json");
        Assert.Equal(0, exit);
        var rows = JsonDocument.Parse(output).RootElement.EnumerateArray().ToArray();
        Assert.Equal(["lifo", "priority"], rows.Select(row => row.GetProperty("name").GetString()));
        Assert.All(rows, row => Assert.Equal("shown", row.GetProperty("outcome").GetString()));
        Assert.All(rows, row => Assert.All(row.GetProperty("claims").EnumerateArray(), claim => Assert.True(claim.GetProperty("holds").GetBoolean())));
    }

    internal static async Task RunAsync(string name, string lines)
    {
        var (exit, output) = await CommandLine.RunAsync("guide", name);
        Assert.SkipWhen(exit == 0 && output.Contains("– skipped: ", StringComparison.Ordinal), output);
        Assert.True(exit == 0, output);
        Assert.All(lines.Split('\n'), line => Assert.Contains(line, output, StringComparison.Ordinal));
        Assert.DoesNotContain("✗", output, StringComparison.Ordinal);
    }
}

/// <summary>The rows that say how much faster several processes are: true where nothing else takes the cores.</summary>
[Collection(AloneCollection.Name)]
public sealed class GuideSpeedTests
{
    public static TheoryData<string, string> Rows => new()
    {
        { "fundamentals", "✓ tasks of different workers ran at the same time" },
        { "gil", "each with a lock of its own\n✓ IO-bound threads of one interpreter wait at the same time" },
        { "cpu-vs-io", "✓ IO-bound, asynchronously: less than half of it\n✓ mixed, in workers: the waits at the same time" },
        { "blocking-in-async", "✓ and holds up others that have nothing to do with it" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public Task A_row_shows_what_it_claims(string name, string line) => GuideTests.RunAsync(name, line);
}
