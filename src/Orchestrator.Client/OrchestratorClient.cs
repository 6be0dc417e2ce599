using System.Runtime.ExceptionServices;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Serialization;
using Orchestrator.Client.Streams;
using Orchestrator.Client.Tasks;
using Orchestrator.Client.Tasks.Streams;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// A connection to one coordinator. It is thread-safe, and one is enough for a program: all calls share its
/// HTTP/2 connection. Calls fail with <see cref="OrchestratorException"/>.
/// </summary>
public sealed partial class OrchestratorClient : IAsyncDisposable
{
    /// <summary>How long the coordinator's port may take to answer before its Unix socket is tried.</summary>
    private static readonly TimeSpan PortPatience = TimeSpan.FromSeconds(3);

    private readonly GrpcChannel _channel;
    private readonly CallInvoker _invoker;
    private readonly CoordinatorEndpoint _endpoint;
    private readonly TaskService.TaskServiceClient _tasks;
    private readonly AdminService.AdminServiceClient _admin;
    private readonly ObjectServices _objects;
    private readonly Lock _gate = new();
    private Task? _closing;

    private OrchestratorClient(CoordinatorEndpoint endpoint, OrchestratorClientOptions options)
    {
        Options = options;
        var tls = endpoint.Address.Scheme == Uri.UriSchemeHttps ? ClientTls.Create(options, endpoint.SelfSignedCertificate) : null;
        _endpoint = endpoint = endpoint with { ShowsCertificate = tls?.ClientCertificateContext is not null };
        _channel = ClientChannel.For(endpoint, tls);
        var invoker = _channel.Intercept(new AnswerReader());
        if (endpoint.Token is { Length: > 0 } token)
            invoker = invoker.Intercept(new BearerTokenInterceptor(token));
        _invoker = invoker;
        _tasks = new TaskService.TaskServiceClient(invoker);
        _admin = new AdminService.AdminServiceClient(invoker);
        Errors = new CoordinatorCalls(endpoint);
        _objects = new ObjectServices(invoker, Errors);
        _calls = new TaskCalls(_tasks, Errors, options, typeof(OrchestratorClient));
        _streams = new TaskStreamPool(_calls);
    }

    /// <summary>The coordinator's gRPC address.</summary>
    public Uri Address => _endpoint.Address;

    /// <summary>
    /// Whether the client currently has a task stream to the coordinator. False before the first task and while reconnecting: tasks
    /// submitted then wait, whereas tasks sent over a connection that broke may or may not have run.
    /// </summary>
    public bool IsConnected => _streams.AnyConnected;

    /// <summary>Connects to the coordinator that the options name, or to the one that runs on this machine.</summary>
    /// <exception cref="CoordinatorUnavailableException">No coordinator answers; the message says where the client looked.</exception>
    /// <exception cref="AccessDeniedException">The token is missing or wrong; the message says where it came from.</exception>
    public static async Task<OrchestratorClient> ConnectAsync(
        OrchestratorClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new OrchestratorClientOptions();
        var endpoint = CoordinatorEndpoint.Locate(options);
        if (!options.VerifyOnConnect)
            return new OrchestratorClient(endpoint, options);
        if (endpoint.LocalSocket is null)
            return await ConnectAsync(endpoint, options, cancellationToken).ConfigureAwait(false);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(PortPatience);
        Exception failure;
        try
        {
            return await ConnectAsync(endpoint, options, patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (ConnectionFailures.IsPortTaken(exception, options) && !cancellationToken.IsCancellationRequested)
        {
            failure = exception;
        }

        // Another user's process may have taken the port; the socket's directories belong to this user.
        try
        {
            return await ConnectAsync(endpoint.ByLocalSocket(), options, cancellationToken).ConfigureAwait(false);
        }
        catch (CoordinatorUnavailableException) when (failure is CoordinatorUnavailableException)
        {
            // The socket of a coordinator that has ended, or that runs on another machine with the same data directory.
            ExceptionDispatchInfo.Throw(failure);
            throw;
        }
        catch (CoordinatorUnavailableException)
        {
            // There is no socket: only the port can answer.
            return await ConnectAsync(endpoint, options, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<OrchestratorClient> ConnectAsync(
        CoordinatorEndpoint endpoint, OrchestratorClientOptions options, CancellationToken cancellationToken)
    {
        var client = new OrchestratorClient(endpoint, options);
        try
        {
            await client.VerifyAsync(cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
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
        _calls.OpenStream(options ?? new TaskStreamOptions(), cancellationToken);

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
        IEnumerable<ulong> taskIds, ulong afterSequence = 0, CancellationToken cancellationToken = default) =>
        _calls.WatchTasksAsync(taskIds, afterSequence, cancellationToken);

    /// <summary>Cancels tasks and returns the ids of those that this call affected.</summary>
    /// <param name="taskIds">The tasks to cancel.</param>
    /// <param name="force">Do not ask running tasks first: end their worker process.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default) =>
        _calls.CancelAsync(taskIds, force, cancellationToken);

    /// <summary>The coordinator's information about one task.</summary>
    public Task<TaskInfo> GetTaskAsync(ulong taskId, CancellationToken cancellationToken = default) =>
        _calls.GetTaskAsync(taskId, cancellationToken);

    /// <summary>One page of tasks.</summary>
    public Task<ListTasksResponse> ListTasksAsync(ListTasksRequest request, CancellationToken cancellationToken = default) =>
        CallAsync(_tasks.ListTasksAsync(request, cancellationToken: cancellationToken));

    /// <summary>The handlers that the workers offer.</summary>
    public async Task<IReadOnlyList<HandlerInfo>> ListHandlersAsync(CancellationToken cancellationToken = default) =>
        (await CallAsync(_tasks.ListHandlersAsync(new ListHandlersRequest(), cancellationToken: cancellationToken))
            .ConfigureAwait(false)).Handlers;

    /// <summary>Opens a session, through which locks, semaphores and other shared objects are reached and held.</summary>
    /// <param name="displayName">For people to read: shown wherever the session holds or waits.</param>
    /// <param name="ttl">How long it outlives its connection; null takes the coordinator's default of 30 s.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public Task<CoordinationSession> OpenSessionAsync(
        string displayName = "", TimeSpan? ttl = null, CancellationToken cancellationToken = default) =>
        CoordinationSession.OpenAsync(_objects, displayName, ttl, cancellationToken);

    /// <summary>
    /// Cancels tasks without a known result and closes the connection, which ends its open streams. A second call waits for the same
    /// completion.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
            return new ValueTask(_closing ??= CloseAsync());
    }

    /// <summary>For benchmarks in this solution that measure calls without a method here.</summary>
    internal CallInvoker Invoker => _invoker;

    /// <summary>For a second process that uses the same coordinator.</summary>
    internal string? Token => _endpoint.Token;

    internal CoordinatorCalls Errors { get; }

    private async Task CloseAsync()
    {
        // Continue outside the lock that the starting caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await _streams.DisposeAsync().ConfigureAwait(false);
        _channel.Dispose();
    }

    private async Task VerifyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await GetStatusAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (AccessDeniedException exception) when (exception.StatusCode == StatusCode.PermissionDenied)
        {
            // The token is valid, but not for the status call: a worker's own token is limited to the object services.
        }
    }

    private Task<T> CallAsync<T>(AsyncUnaryCall<T> call) => Errors.CallAsync(call);
}
