using System.Numerics;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Client.Objects;
using Orchestrator.Protocol;

namespace Orchestrator.Worker.Tasks;

/// <summary>The objects that processes share, accessed through the attempt's own session.</summary>
public sealed partial class TaskContext
{
    private CoordinationSession? _session;

    /// <summary>The session that owns all that the task acquires at the coordinator; it ends with the attempt, however that ends.</summary>
    public string SessionId =>
        _assignment.SessionId.Length > 0 ? _assignment.SessionId : $"{ProtocolConstants.TaskSessionPrefix}{TaskId}-{Attempt}";

    /// <summary>
    /// The attempt's session: locks, semaphores, events and the other objects that processes share. Created on first use, over the one
    /// stream that all tasks of this process share.
    /// </summary>
    /// <exception cref="InvalidOperationException">This process has no coordinator to reach.</exception>
    public CoordinationSession Session
    {
        get
        {
            if (Volatile.Read(ref _session) is { } session)
                return session;
            var gateway = _environment.Services.GetService<SessionPool>()
                ?? throw new InvalidOperationException("this process has no way to its coordinator's objects");
            session = gateway.SessionOf(SessionId);
            if (Interlocked.CompareExchange(ref _session, session, null) is not { } other)
                return session;
            session.Detach();
            return other;
        }
    }

    /// <summary>A lock of this name, shared by all sessions. It is released at the end of the attempt at the latest.</summary>
    public SharedLock Lock(string name) => Session.Lock(name);

    /// <summary>The lock of this name, which the attempt may acquire again while it holds it.</summary>
    public SharedLock ReentrantLock(string name) => Session.ReentrantLock(name);

    /// <summary>The lock of this name for readers, any number of which may hold it at once.</summary>
    public SharedLock ReadLock(string name) => Session.ReadLock(name);

    /// <summary>The lock of this name for a writer, which holds it alone.</summary>
    public SharedLock WriteLock(string name) => Session.WriteLock(name);

    /// <summary>A semaphore of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="initialPermits">How many permits it has when this creates it; null does not create it.</param>
    /// <param name="bounded">Whether it never has more than at first.</param>
    public SharedSemaphore Semaphore(string name, int? initialPermits = null, bool bounded = false) =>
        Session.Semaphore(name, initialPermits, bounded);

    /// <summary>An event of this name.</summary>
    public SharedEvent Event(string name) => Session.Event(name);

    /// <summary>A condition of this name that belongs to a lock.</summary>
    public SharedCondition Condition(string name, string lockName) => Session.Condition(name, lockName);

    /// <summary>A barrier of this name; a party that ends before all are there breaks it for the others.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parties">The number of parties when this creates it; 0 does not create it.</param>
    public SharedBarrier Barrier(string name, int parties = 0) => Session.Barrier(name, parties);

    /// <summary>A latch of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="count">The initial count when this creates it; 0 does not create it.</param>
    public SharedLatch Latch(string name, long count = 0) => Session.Latch(name, count);

    /// <summary>A rate limiter of this name, which must exist.</summary>
    public SharedRateLimiter RateLimiter(string name) => Session.RateLimiter(name);

    /// <summary>
    /// A queue of this name, which must exist. Items that the attempt leases and does not complete are returned at its end.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The JSON of the items; null takes that of the SDK, by reflection.</param>
    /// <typeparam name="T">The items; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public SharedQueue<T> Queue<T>(string name, JsonTypeInfo<T>? type = null) => Session.Queue(name, type);

    /// <summary>A pipe of this name, which must exist. The end that the attempt uses is closed when the attempt ends.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The JSON of the messages; null takes that of the SDK, by reflection.</param>
    /// <typeparam name="T">The messages; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public SharedPipe<T> Pipe<T>(string name, JsonTypeInfo<T>? type = null) => Session.Pipe(name, type);

    /// <summary>A dict of this name; its first entry creates it, and it outlives the attempt.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="durability">What it survives, if this creates it.</param>
    /// <param name="type">The JSON of the values; null takes that of the SDK, by reflection.</param>
    /// <typeparam name="T">The values; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public SharedDict<T> Dict<T>(
        string name, DurabilityLevel durability = DurabilityLevel.Default, JsonTypeInfo<T>? type = null) =>
        Session.Dict(name, durability, type);

    /// <summary>A list of this name; its first change creates it, and it outlives the attempt.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="durability">What it survives, if this creates it.</param>
    /// <param name="type">The JSON of the elements; null takes that of the SDK, by reflection.</param>
    /// <typeparam name="T">The elements; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public SharedList<T> List<T>(
        string name, DurabilityLevel durability = DurabilityLevel.Default, JsonTypeInfo<T>? type = null) =>
        Session.List(name, durability, type);

    /// <summary>A number of this name; its first change creates it, and it outlives the attempt.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="durability">What it survives, if this creates it.</param>
    /// <typeparam name="T"><c>long</c>, <c>int</c>, <c>double</c> or <c>float</c>.</typeparam>
    public SharedValue<T> Value<T>(string name, DurabilityLevel durability = DurabilityLevel.Default)
        where T : struct, INumber<T> => Session.Value<T>(name, durability);

    /// <summary>An array of numbers of this name; it outlives the attempt.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length when this creates it; 0 does not create it.</param>
    /// <param name="durability">What it survives, if this creates it.</param>
    /// <typeparam name="T"><c>long</c>, <c>int</c>, <c>double</c> or <c>float</c>.</typeparam>
    public SharedArray<T> Array<T>(string name, long length = 0, DurabilityLevel durability = DurabilityLevel.Default)
        where T : struct, INumber<T> => Session.Array<T>(name, length, durability);
}
