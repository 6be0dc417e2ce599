using System.Diagnostics;
using Google.Protobuf;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.TestKit.Otlp;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Telemetry;

/// <summary>Part 9, 13: what a collector of OpenTelemetry's data gets of tasks, by real processes and sockets.</summary>
public sealed class OtlpTests(ExportingCoordinator exporting) : IClassFixture<ExportingCoordinator>
{
    private const int Producer = 4;
    private const int Consumer = 5;
    private const int Error = 2;
    private const string OfCoordinator = "Orchestrator.Coordinator";

    private CoordinatorProcess Coordinator => exporting.Coordinator;

    private OtlpReceiver Receiver => exporting.Receiver;

    /// <summary>Client → task → attempt → handler, and the attempt's wait for a lock.</summary>
    [Fact]
    public async Task A_task_in_dotnet_gives_one_connected_trace()
    {
        var (trace, taskId) = await RunLockedAsync("locked", "net");
        var spans = await TraceAsync(trace, 6);
        var (submit, task) = (Single(spans, "submit locked"), Single(spans, "task locked"));
        var (attempt, process) = (Single(spans, "attempt 1"), Single(spans, "locked process"));
        Assert.Equal((Producer, Consumer, Consumer), (submit.Kind, attempt.Kind, process.Kind));
        Assert.Equal(submit.SpanId, task.ParentSpanId);
        Assert.Equal(task.SpanId, Single(spans, "queue").ParentSpanId);
        Assert.Equal(task.SpanId, attempt.ParentSpanId);
        Assert.Equal(attempt.SpanId, process.ParentSpanId);
        AssertWaited(spans, attempt, "net");
        Assert.Equal("succeeded", Text(task, "orchestrator.task.state"));
        Assert.Equal((long)taskId, Number(task, "orchestrator.task.id"));
        Assert.StartsWith("testkit-1", Text(attempt, "orchestrator.worker"), StringComparison.Ordinal);
        Assert.True(attempt.StartTimeUnixNano >= task.StartTimeUnixNano);
        Assert.True(attempt.EndTimeUnixNano <= task.EndTimeUnixNano);
    }

    /// <summary>A worker that knows nothing of traces is in them.</summary>
    [Fact]
    public async Task A_task_in_Python_gives_one_connected_trace()
    {
        Assert.SkipWhen(exporting.Stubs.Missing is not null, exporting.Stubs.Missing ?? "");
        var (trace, _) = await RunLockedAsync("py_locked", "python");
        var spans = await TraceAsync(trace, 5);
        var (task, attempt) = (Single(spans, "task py_locked"), Single(spans, "attempt 1"));
        Assert.Equal(Single(spans, "submit py_locked").SpanId, task.ParentSpanId);
        Assert.Equal(task.SpanId, attempt.ParentSpanId);
        AssertWaited(spans, attempt, "python");
    }

    /// <summary>Without a context and at a ratio of 0: both attempts are traced since they were lost.</summary>
    [Fact]
    public async Task A_lost_worker_s_trace_ends_with_its_signal()
    {
        var spec = Specs.Json("crash", "{}");
        spec.Options = new TaskOptions { Retry = new RetryPolicy { MaxAttempts = 2, RetryWorkerLost = true } };
        var result = await Coordinator.RunAsync(spec);
        Assert.Equal(TaskState.WorkerLost, result.State);
        var task = await Receiver.WaitForAsync(receiver => OfTask(receiver, "task crash", result.TaskId));
        var spans = await TraceAsync(task.TraceId, 5);
        Assert.Empty(task.ParentSpanId);
        Assert.Equal((Error, "worker_lost"), (task.Status.Code, Text(task, "orchestrator.task.state")));
        foreach (var name in (string[])["attempt 1", "attempt 2"])
        {
            var attempt = Single(spans, name);
            Assert.Equal(task.SpanId, attempt.ParentSpanId);
            Assert.Equal(Error, attempt.Status.Code);
            Assert.Equal("SIGSEGV (11)", Text(attempt, "orchestrator.worker.signal"));
        }

        Assert.Equal(2, spans.Count(span => span.Name == "queue"));
    }

    /// <summary>A context whose flag says that it is not traced, or none: nothing is exported of a task that succeeds.</summary>
    [Fact]
    public async Task What_is_not_sampled_and_succeeds_is_not_traced()
    {
        var unsampled = Specs.Json("echo", "1");
        unsampled.Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        var first = await Coordinator.RunAsync(unsampled);
        var second = await Coordinator.RunAsync(Specs.Json("echo", "2"));
        var last = Specs.Json("echo", "3");
        last.Traceparent = "00-0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-01";
        var third = await Coordinator.RunAsync(last);
        // It ended last, so what was made of the others would have come before.
        var traced = await Receiver.WaitForAsync(receiver => OfTask(receiver, "task echo", third.TaskId));
        Assert.Equal("b7ad6b7169203331", Convert.ToHexStringLower(traced.ParentSpanId.Span));
        Assert.Null(OfTask(Receiver, "task echo", first.TaskId));
        Assert.Null(OfTask(Receiver, "task echo", second.TaskId));
    }

    [Fact]
    public async Task Counters_and_histograms_agree_with_the_status()
    {
        await Coordinator.StreamAsync(Enumerable.Range(0, 500).Select(i => Specs.Json("sum_of_squares", """{"n": 9}""", tag: (ulong)i)));
        var ended = await Receiver.WaitForAsync(receiver => receiver.Metrics.Select(item => item.Metric).LastOrDefault(
            metric => metric.Name == "orchestrator.task.ended" && metric.Sum.DataPoints.Any(
                point => Text(point.Attributes, "handler") == "sum_of_squares" && point.AsDouble >= 500)));
        Assert.Equal("{task}", ended.Unit);
        var point = Assert.Single(ended.Sum.DataPoints, point => Text(point.Attributes, "handler") == "sum_of_squares");
        Assert.Equal((500, "succeeded"), (point.AsDouble, Text(point.Attributes, "state")));
        await Receiver.WaitForAsync(receiver => receiver.Metrics.Select(item => item.Metric).LastOrDefault(
            metric => metric.Name == "orchestrator.task.duration" && metric.Histogram.DataPoints.Any(
                point => Text(point.Attributes, "handler") == "sum_of_squares" && point.Count == 500)));
        await Receiver.WaitForAsync(receiver => receiver.Metrics.Select(item => item.Metric).LastOrDefault(
            metric => metric.Name == "dotnet.gc.collections"));
    }

    /// <summary>A line of a task's log belongs to the span of its attempt.</summary>
    [Fact]
    public async Task A_task_s_log_has_the_ids_of_its_span()
    {
        var (trace, taskId) = await RunLockedAsync("locked", "logged");
        var line = await Receiver.WaitForAsync(receiver => receiver.Logs.Select(item => item.Line).FirstOrDefault(
            line => line.Body.StringValue.StartsWith("waits for logged", StringComparison.Ordinal)));
        var attempt = Single(await TraceAsync(trace, 6), "attempt 1");
        Assert.Equal((attempt.TraceId, attempt.SpanId), (line.TraceId, line.SpanId));
        Assert.Equal((long)taskId, line.Attributes.Single(item => item.Key == "orchestrator.task.id").Value.IntValue);
    }

    /// <summary>Runs a task that waits for a lock which its client holds until then.</summary>
    private async Task<(ByteString Trace, ulong TaskId)> RunLockedAsync(string handler, string name)
    {
        using var traces = OpenTelemetry.Sdk.CreateTracerProviderBuilder().AddSource(OrchestratorClient.ActivitySourceName)
            .AddOtlpExporter(otlp => (otlp.Endpoint, otlp.ExportProcessorType) = (new Uri(Receiver.Address), ExportProcessorType.Simple))
            .Build();
        await using var client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { DataDirectory = Coordinator.DataDirectory });
        await using var session = await client.OpenSessionAsync();
        using var caller = new Activity("caller") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();
        var held = await session.Lock(name).AcquireAsync();
        object input = handler == "locked" ? name : new Dictionary<string, string> { ["lock"] = name };
        var task = await client.SubmitAsync(TaskFunction.Json<object, long>(handler), input);
        await UntilAsync(async () => (await Coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), CoordinatorProcess.Deadline()))
            .Edges.Any(edge => edge.Object == $"locks/{name}"));
        await held.DisposeAsync();
        await task.GetResultAsync();
        return (ByteString.CopyFrom(Convert.FromHexString(caller.TraceId.ToHexString())), task.Id);
    }

    private async Task<Span[]> TraceAsync(ByteString trace, int count) => await Receiver.WaitForAsync(receiver =>
    {
        Span[] spans = [.. receiver.Spans.Select(item => item.Span).Where(span => span.TraceId == trace)];
        return spans.Length >= count ? spans : null;
    });

    private static void AssertWaited(Span[] spans, Span attempt, string name)
    {
        var wait = Single(spans, $"wait locks/{name}");
        Assert.Equal(attempt.SpanId, wait.ParentSpanId);
        Assert.Equal("granted", Text(wait, "orchestrator.wait.outcome"));
        Assert.True(Number(wait, "orchestrator.fencing_token") > 0);
        Assert.True(wait.EndTimeUnixNano > wait.StartTimeUnixNano);
    }

    private static Span? OfTask(OtlpReceiver receiver, string name, ulong taskId) =>
        receiver.Spans.Where(item => item.Source == OfCoordinator).Select(item => item.Span).FirstOrDefault(
            span => span.Name == name && Number(span, "orchestrator.task.id") == (long)taskId);

    private static Span Single(Span[] spans, string name) => Assert.Single(spans, span => span.Name == name);

    private static string Text(Span span, string key) => Text(span.Attributes, key);

    private static string Text(IEnumerable<KeyValue> attributes, string key) =>
        attributes.SingleOrDefault(item => item.Key == key)?.Value.StringValue ?? "";

    private static long Number(Span span, string key) => span.Attributes.SingleOrDefault(item => item.Key == key)?.Value.IntValue ?? 0;
}
