using System.Globalization;
using System.Text.Json;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>submit</c>, <c>wait</c> and <c>result</c>: tasks that outlive the command that submitted them.</summary>
public sealed class TaskVerbTests(TaskVerbTests.Shared shared) : IClassFixture<TaskVerbTests.Shared>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    [Fact]
    public async Task A_task_is_submitted_waited_for_and_read_by_three_commands()
    {
        var ids = Lines(await OkAsync("submit", "sum_of_squares", """{"n": 4}""", "--count", "3"));
        Assert.Equal(3, ids.Distinct().Count());
        var waited = await OkAsync(["wait", .. ids]);
        Assert.All(ids, id => Assert.Contains($"{id}\tsucceeded", waited, StringComparison.Ordinal));
        // Reading does not take it away.
        for (var i = 0; i < 2; i++)
            Assert.Equal("14", (await OkAsync("result", ids[0])).Trim());
    }

    [Fact]
    public async Task Json_names_the_ids()
    {
        var submitted = JsonDocument.Parse(await OkAsync("submit", "echo", "\"x\"", "-o", "json")).RootElement;
        var id = submitted.GetProperty("task_ids").EnumerateArray().Single().GetUInt64();
        var waited = JsonDocument.Parse(await OkAsync("wait", $"{id}", "-o", "json")).RootElement;
        Assert.Equal("TASK_STATE_SUCCEEDED", waited.GetProperty("done")[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task What_is_not_ended_is_named_and_a_timeout_has_its_own_code()
    {
        var id = Lines(await OkAsync("submit", "sleep", """{"ms": 600000}""")).Single();
        var (code, output) = await RunAsync("wait", id, "--timeout", "0s");
        Assert.Equal(6, code);
        Assert.Contains($"Not ended yet: {id}.", output, StringComparison.Ordinal);
        (code, output) = await RunAsync("result", id);
        Assert.Equal(1, code);
        Assert.Contains($"'orchestrator wait {id}' waits for it", output, StringComparison.Ordinal);
        await OkAsync("cancel", id);
        (code, output) = await RunAsync("wait", id);
        Assert.Equal(1, code);
        Assert.Contains("cancelled", output, StringComparison.Ordinal);
        (code, output) = await RunAsync("result", id);
        Assert.Equal(1, code);
        Assert.Contains("cancelled", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_to_end_is_enough_where_asked()
    {
        var slow = Lines(await OkAsync("submit", "sleep", """{"ms": 600000}""")).Single();
        var quick = Lines(await OkAsync("submit", "echo", "1")).Single();
        Assert.Contains($"{quick}\tsucceeded", await OkAsync("wait", slow, quick, "--for", "first"), StringComparison.Ordinal);
        await OkAsync("cancel", slow);
    }

    [Fact]
    public async Task A_request_id_finds_the_same_task_and_a_durable_one_says_so()
    {
        string[] submit = ["submit", "echo", "1", "--durability", "process", "--request-id", "order-4711", "--result-ttl", "10m"];
        var id = Lines(await OkAsync(submit)).Single();
        Assert.Equal(id, Lines(await OkAsync(submit)).Single());
        var number = ulong.Parse(id, CultureInfo.InvariantCulture);
        var task = (await _coordinator.Tasks.GetTaskAsync(new GetTaskRequest { TaskId = number })).Task;
        Assert.Equal(Durability.Process, task.Options.Durability);
        Assert.Equal(TimeSpan.FromMinutes(10), task.Options.ResultTtl.ToTimeSpan());
        var (code, output) = await RunAsync("submit", "echo", "1", "--request-id", "x", "--count", "2");
        Assert.Equal(2, code);
        Assert.Contains("--request-id names one task, and --count asks for 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_knows_the_age_of_a_task_that_has_not_started()
    {
        var id = Lines(await OkAsync("submit", "sleep", """{"ms": 600000}""")).Single();
        var listed = (await _coordinator.Tasks.ListTasksAsync(new ListTasksRequest())).Tasks.Single(task => $"{task.TaskId}" == id);
        Assert.InRange(DateTimeOffset.UtcNow - listed.AcceptedAt.ToDateTimeOffset(), TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        await OkAsync("cancel", id);
    }

    [Fact]
    public async Task A_queue_is_created_as_durable_as_asked()
    {
        await OkAsync("queue", "create", "kept", "--durability", "disk");
        Assert.Equal(
            Durability.Disk,
            (await new QueueService.QueueServiceClient(_coordinator.Invoker).GetQueueAsync(new GetQueueRequest { Queue = "kept" }))
                .Queue.Spec.Durability);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<string> OkAsync(params string[] arguments)
    {
        var (code, output) = await RunAsync(arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }

    private Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) =>
        TestKit.CommandLine.RunAsync([.. arguments, "--data-dir", _coordinator.DataDirectory]);

    public sealed class Shared : IAsyncLifetime
    {
        public CoordinatorProcess Coordinator { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Coordinator = await CoordinatorProcess.StartAsync();

        public ValueTask DisposeAsync() => Coordinator.DisposeAsync();
    }
}
