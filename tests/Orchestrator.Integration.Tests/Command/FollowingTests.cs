using System.Diagnostics;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Common;
using Orchestrator.Client.Tasks;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Command;

/// <summary><c>orchestrator logs</c> and <c>orchestrator tail</c>: verbs that follow.</summary>
public sealed class FollowingTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private string[] At => ["--data-dir", shared.Coordinator.DataDirectory];

    [Fact]
    public async Task Logs_follow_a_task_that_runs_and_end_with_it()
    {
        var latch = $"gate-{Guid.NewGuid():N}";
        var id = (await shared.Coordinator.SubmitAsync(Specs.Json("wait_barrier", $$"""{"barrier": "{{latch}}", "parties": 2}""")))
            .Single();
        await shared.Coordinator.WaitUntilRunningAsync(id);
        using var logs = Start(["logs", $"{id}", .. At]);
        var lines = new List<string>();
        while (lines.Count == 0 || !lines[^1].EndsWith("running", StringComparison.Ordinal))
            lines.Add(await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
                ?? throw new InvalidOperationException("it ended before its task"));
        Assert.False(logs.HasExited);
        // The other party of the barrier releases the task.
        await TestKit.CommandLine.RunAsync(["barrier", "wait", latch, .. At]);
        var rest = await logs.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3}  succeeded: \d\n$", rest);
        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Ok, logs.ExitCode);
    }

    [Fact]
    public async Task Logs_of_a_task_that_failed_say_why_and_end_with_1()
    {
        var id = (await shared.Coordinator.SubmitAsync(Specs.Json("throw", """{"message": "no luck"}"""))).Single();
        await shared.Coordinator.WaitAsync([id]);
        var (code, output) = await TestKit.CommandLine.RunAsync(["logs", $"{id}", .. At]);
        Assert.Equal(ExitCode.TaskFailed, code);
        Assert.Contains("no luck", output.TrimEnd('\n').Split('\n')[^1], StringComparison.Ordinal);
        var (_, json) = await TestKit.CommandLine.RunAsync(["logs", $"{id}", "-o", "json", .. At]);
        Assert.All(json.TrimEnd('\n').Split('\n'), line => System.Text.Json.JsonDocument.Parse(line).Dispose());
    }

    [Fact]
    public async Task Logs_of_an_unknown_task_say_where_the_known_ones_are_listed()
    {
        var (code, output) = await TestKit.CommandLine.RunAsync(["logs", "123456789", .. At]);
        Assert.Equal(ExitCode.TaskFailed, code);
        Assert.Equal(
            "orchestrator: task 123456789 is unknown: no task has had this id; 'orchestrator tasks' lists those that are known " +
            "[NOT_FOUND]\n", output);
        Assert.Equal(ExitCode.Usage, (await TestKit.CommandLine.RunAsync(["logs", "seventeen", .. At])).ExitCode);
    }

    [Fact]
    public async Task Tail_shows_what_is_asked_for_alone()
    {
        await shared.Coordinator.WaitForEventAsync(
            "worker.ready", happened => happened.Subject.StartsWith("worker-1", StringComparison.Ordinal));
        var (code, output) = await TestKit.CommandLine.RunAsync(
            ["tail", "--kind", "worker.*", "--subject", "worker-1", "--since", "1h", "--count", "1", .. At]);
        Assert.Equal(ExitCode.Ok, code);
        Assert.Contains("worker.ready", Assert.Single(output.TrimEnd('\n').Split('\n')), StringComparison.Ordinal);
        Assert.Contains("worker-1#", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("worker.lost", "worker-1#2", true, "worker.lost")]
    [InlineData("worker.lost", "worker-1#2", true, "worker.*", "worker-1")]
    [InlineData("worker.lost", "worker-1#2", true, "", "worker-1#2")]
    [InlineData("worker.lost", "worker-1#2", false, "worker.ready")]
    [InlineData("worker.lost", "worker-1#2", false, "", "worker-1#1")]
    [InlineData("worker.lost", "worker-12#2", false, "", "worker-1")]
    public void Filters(string kind, string subject, bool expected, string kinds, string subjects = "") => Assert.Equal(
        expected,
        EventsCommand.Matches(
            new WatchEventsResponse { Kind = kind, Subject = subject },
            kinds.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            subjects.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            DateTimeOffset.MinValue));

    [Fact]
    public void Since_leaves_out_what_is_older()
    {
        var noon = new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var happened = new WatchEventsResponse { At = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(noon) };
        Assert.True(EventsCommand.Matches(happened, [], [], noon));
        Assert.False(EventsCommand.Matches(happened, [], [], noon.AddTicks(1)));
    }

    private static Process Start(string[] arguments) =>
        Process.Start(new ProcessStartInfo(CoordinatorProcess.CommandPath, arguments) { RedirectStandardOutput = true })!;
}
