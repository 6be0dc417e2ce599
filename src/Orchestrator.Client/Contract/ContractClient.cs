using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <summary>
/// The calls of the contract as they are, with its messages: for programs that need more than the types of the SDK show, such as the raw
/// stream of tasks. Calls fail with <see cref="Errors.OrchestratorException"/>.
/// </summary>
public sealed partial class ContractClient
{
    private readonly CoordinatorCalls _calls;
    private readonly TaskService.TaskServiceClient _tasks;
    private readonly AdminService.AdminServiceClient _admin;
    private readonly ObjectServices _objects;

    internal ContractClient(CallInvoker invoker, CoordinatorCalls calls, ObjectServices objects)
    {
        _calls = calls;
        _tasks = new TaskService.TaskServiceClient(invoker);
        _admin = new AdminService.AdminServiceClient(invoker);
        _objects = objects;
    }

    /// <summary>
    /// Runs one task and waits for its result. A deadline bounds the task, and cancelling the call cancels it.
    /// </summary>
    public async Task<TaskResult> RunTaskAsync(
        TaskSpec task, DateTime? deadline = null, CancellationToken cancellationToken = default)
    {
        var response = await CallAsync(_tasks.RunTaskAsync(
            new RunTaskRequest { Task = task }, deadline: deadline, cancellationToken: cancellationToken)).ConfigureAwait(false);
        return response.Result;
    }

    /// <summary>Opens the fast path: batches of tasks and results over one call.</summary>
    public TaskStream OpenTaskStream(TaskStreamOptions? options = null, CancellationToken cancellationToken = default) =>
        new(_tasks.StreamTasks(cancellationToken: cancellationToken), options ?? new TaskStreamOptions(), _calls);

    /// <summary>Submits tasks and returns their ids, in the order given. Results are read with <see cref="WaitAsync"/>.</summary>
    public async Task<IReadOnlyList<ulong>> SubmitAsync(
        IEnumerable<TaskSpec> tasks, CancellationToken cancellationToken = default)
    {
        var request = new SubmitTasksRequest();
        request.Tasks.AddRange(tasks);
        return (await CallAsync(_tasks.SubmitTasksAsync(request, cancellationToken: cancellationToken)).ConfigureAwait(false)).TaskIds;
    }

    /// <summary>Waits for tasks, like <c>concurrent.futures.wait</c>. A timeout is a result: unfinished tasks are pending.</summary>
    /// <param name="taskIds">The tasks to wait for.</param>
    /// <param name="mode">Which of them to wait for.</param>
    /// <param name="timeout">Null and <see cref="Timeout.InfiniteTimeSpan"/> wait without limit; zero only checks.</param>
    /// <param name="cancellationToken">Ends the wait; the tasks go on.</param>
    public async Task<WaitTasksResponse> WaitAsync(
        IEnumerable<ulong> taskIds,
        WaitMode mode = WaitMode.All,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        var request = new WaitTasksRequest { Mode = mode };
        request.TaskIds.AddRange(taskIds);
        request.Timeout = TimeLimits.OrNone(timeout);
        return await CallAsync(_tasks.WaitTasksAsync(request, cancellationToken: cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>
    /// Follows tasks: states, progress, partial outputs, log lines. It resumes after <paramref name="afterSequence"/>.
    /// <see cref="TaskEvent.DroppedBefore"/> states what is missing.
    /// </summary>
    public IAsyncEnumerable<TaskEvent> WatchTasksAsync(
        IEnumerable<ulong> taskIds, ulong afterSequence = 0, CancellationToken cancellationToken = default)
    {
        var request = new WatchTasksRequest { AfterSequence = afterSequence };
        request.TaskIds.AddRange(taskIds);
        return _calls.ReadAllAsync(
            token => _tasks.WatchTasks(request, cancellationToken: token), static response => response.Event, cancellationToken);
    }

    /// <summary>Cancels tasks and returns the ids of those that this call affected.</summary>
    /// <param name="taskIds">The tasks to cancel.</param>
    /// <param name="force">Do not ask running tasks first: end their worker process.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default)
    {
        var request = new CancelTasksRequest { Force = force };
        request.TaskIds.AddRange(taskIds);
        return (await CallAsync(_tasks.CancelTasksAsync(request, cancellationToken: cancellationToken))
            .ConfigureAwait(false)).CancelledTaskIds;
    }

    /// <summary>The coordinator's information about one task.</summary>
    public async Task<TaskInfo> GetTaskAsync(ulong taskId, CancellationToken cancellationToken = default) =>
        (await CallAsync(_tasks.GetTaskAsync(new GetTaskRequest { TaskId = taskId }, cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Task;

    /// <summary>One page of tasks.</summary>
    public Task<ListTasksResponse> ListTasksAsync(ListTasksRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(_tasks.ListTasksAsync(request, cancellationToken: cancellationToken));

    /// <summary>The handlers that the workers offer.</summary>
    public async Task<IReadOnlyList<HandlerInfo>> ListHandlersAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_tasks.ListHandlersAsync(new ListHandlersRequest(), cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Handlers;

    private Task<T> CallAsync<T>(AsyncUnaryCall<T> call) => _calls.CallAsync(call);
}
