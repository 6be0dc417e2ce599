using Orchestrator.Client.Errors;
using Orchestrator.Client.Objects;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Client;

/// <summary>
/// What a program calls of a coordinator: tasks, sessions with shared objects, administration. <see cref="OrchestratorClient"/> is the
/// connection; a test of a program's own code gives an implementation of its own, with <see cref="TaskHandle{T}"/>s of local tasks and
/// types derived from <see cref="CoordinationSession"/> and the objects.
/// </summary>
public interface IOrchestratorClient : IExecutor, IAsyncDisposable
{
    /// <summary>
    /// Whether the client currently has a task stream to the coordinator. False before the first task and while reconnecting: tasks
    /// submitted then wait, whereas tasks sent over a connection that broke may or may not have run.
    /// </summary>
    bool IsConnected { get; }

    /// <summary>Cancels tasks and returns the ids of those that this call affected.</summary>
    /// <param name="taskIds">The tasks to cancel.</param>
    /// <param name="force">Do not ask running tasks first: end their worker process.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<IReadOnlyList<ulong>> CancelAsync(
        IEnumerable<ulong> taskIds, bool force = false, CancellationToken cancellationToken = default);

    /// <summary>Opens a session, through which locks, semaphores and other shared objects are reached and held.</summary>
    /// <param name="displayName">For people to read: shown wherever the session holds or waits.</param>
    /// <param name="ttl">How long it outlives its connection; null takes the coordinator's default of 30 s.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<CoordinationSession> OpenSessionAsync(
        string displayName = "", TimeSpan? ttl = null, CancellationToken cancellationToken = default);

    /// <summary>Creates a queue, or returns the existing one if all its options agree.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, if it exists with other options.</exception>
    Task<QueueStatus> CreateQueueAsync(string queue, QueueOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>The current state of a queue.</summary>
    /// <exception cref="OrchestratorException">With NOT_FOUND, if it does not exist.</exception>
    Task<QueueStatus> GetQueueAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Every queue, ordered by name.</summary>
    Task<IReadOnlyList<QueueStatus>> ListQueuesAsync(CancellationToken cancellationToken = default);

    /// <summary>Shuts the queue down: it takes no more items, and gets drain it. Returns the number of dropped items.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="immediate">Also drop the queued items.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<long> ShutDownQueueAsync(string queue, bool immediate = false, CancellationToken cancellationToken = default);

    /// <summary>Deletes a queue and its items; its waiters fail because it is shut down.</summary>
    Task DeleteQueueAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Creates a pipe, unless there is one whose options agree.</summary>
    /// <param name="pipe">Its name.</param>
    /// <param name="options">Null takes the defaults.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, if it exists with other options.</exception>
    Task CreatePipeAsync(string pipe, PipeOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Creates a rate limiter, unless there is one whose options agree.</summary>
    /// <exception cref="OrchestratorException">With KIND_MISMATCH, if it exists with other options.</exception>
    Task CreateRateLimiterAsync(string rateLimiter, RateLimiterOptions options, CancellationToken cancellationToken = default);

    /// <summary>Deletes a rate limiter; waiters for its permits fail.</summary>
    /// <exception cref="OrchestratorException">With NOT_FOUND, if it does not exist.</exception>
    Task DeleteRateLimiterAsync(string rateLimiter, CancellationToken cancellationToken = default);

    /// <summary>The current state of the coordinator, its workers and its counts.</summary>
    Task<CoordinatorStatus> GetStatusAsync(CancellationToken cancellationToken = default);

    /// <summary>The status, every <paramref name="interval"/>.</summary>
    IAsyncEnumerable<CoordinatorStatus> WatchStatusAsync(TimeSpan interval, CancellationToken cancellationToken = default);

    /// <summary>Changes the number of workers of a group and returns the new one.</summary>
    /// <param name="workers">The new number of workers.</param>
    /// <param name="group">The group; optional if there is only one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<int> ScaleWorkersAsync(int workers, string? group = null, CancellationToken cancellationToken = default);

    /// <summary>Replaces the named worker, or all workers in turn, and returns the number replaced.</summary>
    /// <param name="worker">The worker's name; null is all.</param>
    /// <param name="group">Only workers of this group; null is any.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    Task<int> RecycleWorkersAsync(string? worker = null, string? group = null, CancellationToken cancellationToken = default);

    /// <summary>Drains the coordinator: it takes no new work and waits for running tasks. Returns the number of unfinished tasks.</summary>
    /// <param name="timeout">How long to wait; null takes the coordinator's own limit, <see cref="Timeout.InfiniteTimeSpan"/> its maximum,
    /// 49 days.</param>
    /// <param name="stop">Also stop the coordinator afterwards.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    Task<long> DrainAsync(TimeSpan? timeout, bool stop, CancellationToken cancellationToken = default);
}
