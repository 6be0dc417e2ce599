using Orchestrator.Client.Connection;
using Orchestrator.Client.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks;

/// <summary>
/// The calls of the task service that handles, maps and reopened streams need; <see cref="OrchestratorClient"/> offers them to programs.
/// </summary>
/// <param name="tasks">The service.</param>
/// <param name="calls">Maps errors.</param>
/// <param name="options">The client's options.</param>
/// <param name="owner">The public type that an <see cref="ObjectDisposedException"/> names.</param>
internal sealed class TaskCalls(TaskService.TaskServiceClient tasks, CoordinatorCalls calls, OrchestratorClientOptions options, Type owner)
{
    public OrchestratorClientOptions Options => options;

    public Type Owner => owner;

    public TaskStream OpenStream(TaskStreamOptions streamOptions, CancellationToken cancellationToken = default) =>
        new(tasks.StreamTasks(cancellationToken: cancellationToken), streamOptions, calls);

    public IAsyncEnumerable<TaskEvent> WatchTasksAsync(
        IEnumerable<ulong> taskIds, ulong afterSequence = 0, CancellationToken cancellationToken = default)
    {
        var request = new WatchTasksRequest { AfterSequence = afterSequence };
        request.TaskIds.AddRange(taskIds);
        return calls.ReadAllAsync(
            token => tasks.WatchTasks(request, cancellationToken: token), static response => response.Event, cancellationToken);
    }

    public async Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default)
    {
        var request = new CancelTasksRequest { Force = force };
        request.TaskIds.AddRange(taskIds);
        return (await calls.CallAsync(tasks.CancelTasksAsync(request, cancellationToken: cancellationToken))
            .ConfigureAwait(false)).CancelledTaskIds;
    }

    public async Task<TaskInfo> GetTaskAsync(ulong taskId, CancellationToken cancellationToken = default) =>
        (await calls.CallAsync(tasks.GetTaskAsync(new GetTaskRequest { TaskId = taskId }, cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Task;
}
