using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.TestKit;

/// <summary>Short ways to write task specs and calls in tests.</summary>
public static class Specs
{
    /// <summary>A task with a JSON input.</summary>
    public static TaskSpec Json(string handler, string json = "{}", TaskOptions? options = null, ulong tag = 0, string requestId = "") =>
        new()
        {
            Handler = handler,
            Input = new Payload { Json = JsonParser.Default.Parse<Value>(json) },
            Options = options,
            Tag = tag,
            RequestId = requestId,
        };

    /// <summary>A task with bytes.</summary>
    public static TaskSpec Bytes(string handler, byte[] data, ulong tag = 0) =>
        new() { Handler = handler, Input = new Payload { Data = ByteString.CopyFrom(data) }, Tag = tag };

    /// <summary>A duration.</summary>
    public static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    /// <summary>Runs one task by the unary call.</summary>
    public static async Task<TaskResult> RunAsync(this CoordinatorProcess coordinator, TaskSpec task, int seconds = 30) =>
        (await coordinator.Tasks.RunTaskAsync(new RunTaskRequest { Task = task }, CoordinatorProcess.Deadline(seconds))).Result;

    /// <summary>Runs tasks over one stream and returns the results in the order in which they came.</summary>
    public static async Task<IReadOnlyList<TaskResult>> StreamAsync(
        this CoordinatorProcess coordinator, IEnumerable<TaskSpec> tasks, StreamOptions? options = null, int seconds = 60)
    {
        using var call = coordinator.Tasks.StreamTasks(CoordinatorProcess.Deadline(seconds));
        await call.RequestStream.WriteAsync(new StreamTasksRequest { Options = options, Tasks = { tasks } });
        await call.RequestStream.CompleteAsync();
        var results = new List<TaskResult>();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
            results.AddRange(response.Results);
        return results;
    }

    /// <summary>Submits tasks and returns their ids.</summary>
    public static async Task<IReadOnlyList<ulong>> SubmitAsync(this CoordinatorProcess coordinator, params IEnumerable<TaskSpec> tasks) =>
        (await coordinator.Tasks.SubmitTasksAsync(new SubmitTasksRequest { Tasks = { tasks } }, CoordinatorProcess.Deadline())).TaskIds;

    /// <summary>Waits for all of these tasks.</summary>
    public static async Task<IReadOnlyList<TaskResult>> WaitAsync(
        this CoordinatorProcess coordinator, IEnumerable<ulong> ids, int seconds = 30) =>
        (await coordinator.Tasks.WaitTasksAsync(new WaitTasksRequest { TaskIds = { ids } }, CoordinatorProcess.Deadline(seconds))).Done;

    /// <summary>Waits until a task runs, by its events.</summary>
    public static async Task WaitUntilRunningAsync(this CoordinatorProcess coordinator, ulong id)
    {
        using var watch = coordinator.Tasks.WatchTasks(new WatchTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline());
        await foreach (var response in watch.ResponseStream.ReadAllAsync())
        {
            if (response.Event.State == TaskState.Running)
                return;
            if (response.Event.Result is { } result)
                throw new InvalidOperationException($"task {id} ended {result.State} before it was seen running: {result.Error?.Message}");
        }
    }

    /// <summary>
    /// Waits until the code of a task runs that reports progress when it begins, such as that of <c>spin</c>. Its state may say so before,
    /// while the attempt is on its way to its worker: if that worker dies then, the attempt is not lost.
    /// </summary>
    public static async Task WaitUntilReportedAsync(this CoordinatorProcess coordinator, ulong id)
    {
        using var watch = coordinator.Tasks.WatchTasks(new WatchTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline());
        await foreach (var response in watch.ResponseStream.ReadAllAsync())
        {
            if (response.Event.Progress is not null)
                return;
            if (response.Event.Result is { } result)
                throw new InvalidOperationException($"task {id} ended {result.State} before it reported: {result.Error?.Message}");
        }
    }
}
