using Orchestrator.Cli.Common;
using Orchestrator.Cli.Tests;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Command;

/// <summary>The verbs of shared objects, as a shell script uses them: the real command, its output and its exit code.</summary>
[Trait("Kind", "slow")]
public sealed class ObjectVerbTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    [Fact]
    public async Task A_queue_from_its_making_to_its_end()
    {
        var queue = Unique("queue");
        await OkAsync("queue", "create", queue, "--max-items", "3");
        await OkAsync("queue", "put", queue, "plain text", """{"n": 1}""", "7");
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("queue", "put", queue, "x", "--timeout", "0s")).ExitCode);
        Assert.Contains($"{queue}\tfifo\t3\t0\t3\t3", await OkAsync("queue", "show", queue), StringComparison.Ordinal);
        Assert.Contains(queue, await OkAsync("queue", "list"), StringComparison.Ordinal);
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("queue", "join", queue, "--timeout", "0s")).ExitCode);
        Assert.Equal("plain text\n{\"n\":1}\n7\n", await OkAsync("queue", "get", queue, "--count", "3"));
        await OkAsync("queue", "join", queue);
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("queue", "get", queue, "--timeout", "0s")).ExitCode);
        await OkAsync("queue", "shutdown", queue);
        Assert.Equal(ExitCode.Ended, (await RunAsync("queue", "get", queue)).ExitCode);
        await OkAsync("queue", "delete", queue);
        var gone = await RunAsync("queue", "show", queue);
        Assert.Equal(ExitCode.TaskFailed, gone.ExitCode);
        Assert.Contains("NOT_FOUND", gone.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_go_through_a_pipe_until_its_end_of_file()
    {
        var pipe = Unique("pipe");
        await OkAsync("pipe", "create", pipe);
        await OkAsync("pipe", "send", pipe, "B", "one", "two");
        Assert.Contains($"{pipe}\tB to A\tbuffered\tfree\tclosed\t2\t0", await OkAsync("pipe", "list"), StringComparison.Ordinal);
        Assert.Equal("one\ntwo\n", await OkAsync("pipe", "receive", pipe, "A"));
    }

    [Fact]
    public async Task State_is_set_read_and_counted()
    {
        var name = Unique("state");
        await OkAsync("dict", "set", name, "hosts", """["a","b"]""");
        Assert.Equal("[\"a\",\"b\"]\n", await OkAsync("dict", "get", name, "hosts"));
        await OkAsync("dict", "add", name, "n", "2");
        Assert.Equal("-3\n", await OkAsync("dict", "add", name, "n", "--", "-5"));
        await OkAsync("dict", "delete", name, "hosts");
        Assert.Equal(ExitCode.TaskFailed, (await RunAsync("dict", "get", name, "hosts")).ExitCode);
        Assert.Equal("key\tvalue\tversion\nn\t-3\t3\n", await OkAsync("dict", "show", name));
        await OkAsync("dict", "delete-all", name);

        await OkAsync("list", "append", name, "a", "b", "c");
        Assert.Equal("c\n", await OkAsync("list", "pop", name));
        Assert.Equal("a\n", await OkAsync("list", "pop", name, "0"));
        Assert.Equal("b\n", await OkAsync("list", "show", name));
        Assert.Contains(name, await OkAsync("list", "ls"), StringComparison.Ordinal);

        Assert.Equal(ExitCode.TaskFailed, (await RunAsync("value", "get", name)).ExitCode);
        Assert.Equal("5\n", await OkAsync("value", "set", name, "5"));
        Assert.Equal("9223372036854775807\n", await OkAsync("value", "add", name, "9223372036854775802"));
        Assert.Equal("9223372036854775807\n", await OkAsync("value", "get", name));

        Assert.Equal("3\n", await OkAsync("array", "add", name, "1", "3", "--length", "3"));
        Assert.Equal("0\n3\n0\n", await OkAsync("array", "show", name));
        Assert.Equal(ExitCode.Usage, (await RunAsync("array", "set", name, "0", "much")).ExitCode);
    }

    [Fact]
    public async Task Waits_end_with_codes_that_a_script_can_tell_apart()
    {
        var name = Unique("sync");
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("event", "wait", name, "--timeout", "0s")).ExitCode);
        await OkAsync("event", "set", name);
        await OkAsync("event", "wait", name);
        await OkAsync("event", "clear", name);
        Assert.Equal("1\n", await OkAsync("latch", "count-down", name, "--initial-count", "2"));
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("latch", "wait", name, "--timeout", "0s")).ExitCode);
        Assert.Equal("0\n", await OkAsync("latch", "count-down", name));
        await OkAsync("latch", "wait", name);
        await OkAsync("limiter", "create", name, "--permits", "2", "--period", "1h");
        await OkAsync("limiter", "take", name, "--count", "2");
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("limiter", "take", name, "--timeout", "0s")).ExitCode);
        Assert.Equal(ExitCode.TimedOut, (await RunAsync("barrier", "wait", name, "--parties", "2", "--timeout", "0s")).ExitCode);
        await OkAsync("barrier", "reset", name);
        var both = await Task.WhenAll(OkAsync("barrier", "wait", name), OkAsync("barrier", "wait", name));
        Assert.Equal(["0\n", "1\n"], both.Order());
        Assert.Equal(3, (await RunAsync("semaphore", "run", name, "--permits", "1", "--", "sh", "-c", "exit 3")).ExitCode);
        await OkAsync("semaphore", "run", name, "--permits", "1", "--", "true");
        Assert.Equal(ExitCode.Usage, (await RunAsync("semaphore", "run", name, "--permits", "1", "--", "/no/such/command")).ExitCode);
    }

    /// <summary>The verbs that create an object with its first change, each with its arguments after the name.</summary>
    public static TheoryData<string, StateKind, string[]> FirstChanges => new()
    {
        { "dict set", StateKind.Dict, ["key", "1"] },
        { "dict add", StateKind.Dict, ["key"] },
        { "list append", StateKind.List, ["1"] },
        { "value set", StateKind.Value, ["1"] },
        { "value add", StateKind.Value, ["1"] },
        { "value min", StateKind.Value, ["1"] },
        { "value max", StateKind.Value, ["1"] },
        { "array set", StateKind.Array, ["0", "1", "--length", "1"] },
        { "array add", StateKind.Array, ["0", "1", "--length", "1"] },
    };

    [Fact]
    public void Every_verb_that_creates_what_can_be_durable_takes_its_durability() => Assert.Equal(
        FirstChanges.Select(row => row.Data.Item1).Concat(["queue create", "run", "submit"]).Order(StringComparer.Ordinal),
        VerbTree.Leaves.Where(leaf => leaf.Command.Options.Any(option => option.Name == "--durability")).Select(leaf => leaf.Words));

    [Theory]
    [MemberData(nameof(FirstChanges))]
    public async Task The_first_change_decides_the_durability(string verb, StateKind kind, string[] change)
    {
        var name = Unique("durable");
        string[] line = [.. verb.Split(' '), name, .. change];
        Assert.Equal(ExitCode.Ok, (await RunHereAsync([.. line, "--durability", "disk"])).Code);
        // Without the option an object is taken as it is.
        Assert.Equal(ExitCode.Ok, (await RunHereAsync(line)).Code);
        var states = new StateService.StateServiceClient(shared.Coordinator.Invoker);
        var listed = (await states.ListStateAsync(new ListStateRequest { Kind = kind }, Soon)).Objects;
        Assert.Equal(Durability.Disk, Assert.Single(listed, item => item.Name == name).Durability);
        var (code, error) = await RunHereAsync([.. line, "--durability", "process"]);
        Assert.Equal(ExitCode.TaskFailed, code);
        Assert.Contains("DISK", error, StringComparison.Ordinal);
        Assert.Contains("[KIND_MISMATCH]", error, StringComparison.Ordinal);
    }

    /// <summary>Runs the command in this process.</summary>
    private async Task<(int Code, string Error)> RunHereAsync(string[] arguments)
    {
        await using var error = new StringWriter();
        var code = await Cli.CommandLine.RunAsync(
            [.. arguments, "--data-dir", shared.Coordinator.DataDirectory], TextWriter.Null, error);
        return (code, error.ToString());
    }

    private async Task<string> OkAsync(params string[] arguments)
    {
        var (code, output) = await RunAsync(arguments);
        Assert.True(code == ExitCode.Ok, $"{string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }

    private Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        // The command's own options precede the words of another command.
        string[] options = ["--data-dir", shared.Coordinator.DataDirectory];
        var split = Array.IndexOf(arguments, "--");
        return TestKit.CommandLine.RunAsync(
            split < 0 ? [.. arguments, .. options] : [.. arguments[..split], .. options, .. arguments[split..]]);
    }
}
