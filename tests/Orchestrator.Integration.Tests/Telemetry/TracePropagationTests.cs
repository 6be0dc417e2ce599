using System.Diagnostics;
using Grpc.Core;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Telemetry;

/// <summary>A task continues the trace that submitted it, in workers of every language.</summary>
public sealed class TracePropagationTests(TracingWorkers workers) : IClassFixture<TracingWorkers>
{
    private const string OfTask = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    private const string OfCall = "00-11111111111111111111111111111111-2222222222222222-01";

    private CoordinatorProcess Coordinator => workers.Coordinator;

    [Theory]
    [InlineData(OfTask, null, OfTask)]
    [InlineData(null, OfCall, OfCall)]
    [InlineData(OfTask, OfCall, OfTask)]
    [InlineData(null, null, "")]
    // The standard wants a wrong one to be ignored.
    [InlineData(null, "00-zz-1-1", "")]
    public async Task A_task_s_own_context_counts_and_then_that_of_the_call(string? ofTask, string? ofCall, string expected)
    {
        var spec = Spec(ofTask);
        var run = await Coordinator.Tasks.RunTaskAsync(new RunTaskRequest { Task = spec }, Options());
        AssertTrace(expected, run.Result);
        var ids = (await Coordinator.Tasks.SubmitTasksAsync(new SubmitTasksRequest { Tasks = { spec } }, Options())).TaskIds;
        AssertTrace(expected, (await Coordinator.WaitAsync(ids)).Single());
        using var stream = Coordinator.Tasks.StreamTasks(Options());
        await stream.RequestStream.WriteAsync(new StreamTasksRequest { Tasks = { spec } });
        await stream.RequestStream.CompleteAsync();
        var results = new List<TaskResult>();
        while (await stream.ResponseStream.MoveNext(CancellationToken.None))
            results.AddRange(stream.ResponseStream.Current.Results);
        AssertTrace(expected, Assert.Single(results));

        // Each call's own: the credential is added to it.
        CallOptions Options() =>
            CoordinatorProcess.Deadline().WithHeaders(ofCall is null ? [] : new Metadata { { "traceparent", ofCall } });
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01")]
    public async Task A_wrong_one_of_a_task_is_named(string wrong)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => Coordinator.Tasks.RunTaskAsync(
            new RunTaskRequest { Task = Spec(wrong) }, CoordinatorProcess.Deadline()).ResponseAsync);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains($"task.traceparent: '{wrong}' is no W3C trace context", error.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>The caller's span, that of the submission, that of the attempt, which the handler finds as the current one.</summary>
    [Fact]
    public async Task The_client_s_span_is_the_parent_of_the_worker_s()
    {
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == OrchestratorClient.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = Coordinator.DataDirectory });
        using var caller = new Activity("caller").Start();
        var said = await client.RunAsync<string>("trace", "");
        var span = Assert.Single(spans, span => span.TraceId == caller.TraceId);
        Assert.Equal(("submit trace", ActivityKind.Producer, caller.SpanId), (span.DisplayName, span.Kind, span.ParentSpanId));
        Assert.Equal($"{span.Id} {span.Id} Orchestrator.Worker", said);
    }

    /// <summary>Without a listener the caller's own span is continued, by maps as well.</summary>
    [Fact]
    public async Task A_caller_s_span_is_continued_though_nobody_listens_to_the_sdk()
    {
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = Coordinator.DataDirectory });
        using var caller = new Activity("caller").Start();
        var mapped = new List<string>();
        await foreach (var said in client.MapAsync<string, string>("trace", ["", ""]))
            mapped.Add(said);
        Assert.Equal(Enumerable.Repeat($"{caller.Id} {caller.Id} Orchestrator.Worker", 2), mapped);
    }

    [Fact]
    public async Task A_durable_task_keeps_its_context_over_a_kill()
    {
        using var directory = new TemporaryDirectory();
        ulong id;
        await using (var first = await CoordinatorProcess.StartInAsync(directory, "--workers", "0"))
        {
            var spec = Spec(OfTask);
            spec.Options = new TaskOptions { Durability = Durability.Disk };
            id = (await first.SubmitAsync(spec)).Single();
            await first.KillAndWaitAsync();
        }

        await using var second = await CoordinatorProcess.StartInAsync(directory, TestWorker.Arguments(Environment.ProcessPath!));
        AssertTrace(OfTask, (await second.WaitAsync([id])).Single());
    }

    private static TaskSpec Spec(string? trace)
    {
        var spec = Specs.Json("trace", "\"\"");
        spec.Traceparent = trace ?? "";
        return spec;
    }

    private static void AssertTrace(string expected, TaskResult result)
    {
        Assert.Null(result.Error);
        // The attempt's span is current, as its child; without a context it begins a trace.
        Assert.Equal($"{expected} {expected} Orchestrator.Worker", result.Output.Json.StringValue);
    }
}

/// <summary>A coordinator whose workers listen to the spans of attempts.</summary>
public sealed class TracingWorkers : IAsyncLifetime
{
    public CoordinatorProcess Coordinator { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Coordinator = await CoordinatorProcess.StartAsync(TestWorker.Arguments(Environment.ProcessPath!));

    public async ValueTask DisposeAsync() => await Coordinator.DisposeAsync();
}
