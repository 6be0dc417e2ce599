using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Client;
using Orchestrator.Contracts;
using Orchestrator.V1;

namespace Orchestrator.Worker;

/// <summary>What processes share, reached through the attempt's own session.</summary>
public sealed partial class TaskContext
{
    private CoordinationSession? _session;

    /// <summary>The session that owns what the task acquires at the coordinator; it ends with the attempt, whatever happens to it.</summary>
    public string SessionId => _assignment.SessionId.Length > 0 ? _assignment.SessionId : $"{ProtocolConstants.TaskSessionPrefix}{TaskId}-{Attempt}";

    /// <summary>
    /// The attempt's session: locks, semaphores, events and whatever else processes share. Made when it is first asked for, over the one stream that all
    /// tasks of this process use.
    /// </summary>
    /// <exception cref="InvalidOperationException">This process has no coordinator to reach.</exception>
    public CoordinationSession Session
    {
        get
        {
            if (Volatile.Read(ref _session) is { } session)
                return session;
            var gateway = _executor.Services.GetService<SessionPool>()
                ?? throw new InvalidOperationException("this process has no way to its coordinator's objects");
            session = gateway.SessionOf(SessionId);
            if (Interlocked.CompareExchange(ref _session, session, null) is not { } other)
                return session;
            session.Detach();
            return other;
        }
    }

    /// <summary>A lock of this name, for all who name it. It is released at the end of the attempt at the latest.</summary>
    public SharedLock Lock(string name, LockMode mode = LockMode.Plain) => Session.Lock(name, mode);

    /// <summary>A semaphore of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="initialPermits">How many permits it has when this creates it; null leaves that to others.</param>
    /// <param name="bounded">Whether it never has more than at first.</param>
    public SharedSemaphore Semaphore(string name, int? initialPermits = null, bool bounded = false) => Session.Semaphore(name, initialPermits, bounded);

    /// <summary>An event of this name.</summary>
    public SharedEvent Event(string name) => Session.Event(name);

    /// <summary>A condition of this name that belongs to a lock.</summary>
    public SharedCondition Condition(string name, string lockName) => Session.Condition(name, lockName);

    /// <summary>A barrier of this name; a party that ends before all are there breaks it for the others.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parties">For how many it is when this creates it; 0 leaves that to others.</param>
    public SharedBarrier Barrier(string name, int parties = 0) => Session.Barrier(name, parties);

    /// <summary>A latch of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="count">From where it counts when this creates it; 0 leaves that to others.</param>
    public SharedLatch Latch(string name, long count = 0) => Session.Latch(name, count);

    /// <summary>A rate limiter of this name, which somebody has created.</summary>
    public SharedRateLimiter RateLimiter(string name) => Session.RateLimiter(name);

    /// <summary>A queue of this name, which somebody has created. What the attempt leases and does not complete goes back at its end.</summary>
    public SharedQueue Queue(string name) => Session.Queue(name);

    /// <summary>A pipe of this name, which somebody has created. The end that the attempt uses is closed at its end.</summary>
    public SharedPipe Pipe(string name) => Session.Pipe(name);

    /// <summary>A dict of this name; it comes into being with its first entry, and outlives the attempt.</summary>
    public SharedDict Dict(string name) => Session.Dict(name);

    /// <summary>A list of this name; it comes into being with its first change, and outlives the attempt.</summary>
    public SharedList List(string name) => Session.List(name);

    /// <summary>A number of this name; it comes into being with its first change, and outlives the attempt.</summary>
    public SharedValue Value(string name) => Session.Value(name);

    /// <summary>An array of numbers of this name; it outlives the attempt.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length when this creates it; 0 leaves that to others.</param>
    public SharedArray Array(string name, long length = 0) => Session.Array(name, length);
}
