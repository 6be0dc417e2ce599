using System.Numerics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// A session at the coordinator and the shared objects reached through it: locks, semaphores, events and the like, shared by every process
/// that names them. The session owns everything acquired through it. When it ends (disposed, disconnected for longer than its time to live,
/// or its task attempt ended), everything it holds is released.
/// </summary>
/// <remarks>Safe for many threads. All operations share one stream; a wait does not take a call of its own.</remarks>
public class CoordinationSession : IAsyncDisposable
{
    // Null in a fake, which overrides all that would need it.
    private readonly ObjectStream _stream = null!;
    private readonly bool _isOwner;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _gate = new();
    private readonly SessionHolds _holds = new();
    private int _flows;
    private Task? _closing;

    private CoordinationSession(ObjectStream stream, bool isOwner, string id)
    {
        _stream = stream;
        _isOwner = isOwner;
        Id = id;
        RequestSession = isOwner ? "" : id;
        stream.Noticed += OnNotice;
        stream.Failed += OnFailed;
    }

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    /// <param name="id">The session's id.</param>
    protected CoordinationSession(string id = "fake") => (Id, RequestSession) = (id, id);

    /// <summary>The session's id.</summary>
    public string Id { get; }

    /// <summary>
    /// The session's name in lists and messages, since its id is a credential: <c>s-</c> and the first 8 hexadecimal digits of the id's
    /// SHA-256. The session of a task attempt is shown by its id.
    /// </summary>
    public string Alias => _isOwner ? $"s-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Id)))[..8]}" : Id;

    /// <summary>Fires when the session is lost: everything it held has been released.</summary>
    public virtual CancellationToken Lost => _lost.Token;

    /// <summary>
    /// Raised, on a thread of the pool, when a hold that was disposed could not be released and may still be held. Without a handler the
    /// error is raised as <see cref="TaskScheduler.UnobservedTaskException"/>. That the session was lost is said by <see cref="Lost"/>.
    /// </summary>
    public event EventHandler<ReleaseFailedEventArgs>? ReleaseFailed;

    /// <summary>The lock of this name, shared by every process that names it.</summary>
    /// <param name="name">Its name: letters, digits and <c>._/-</c>, at most 128.</param>
    public virtual SharedLock Lock(string name) => new(Real(), name, LockMode.Plain);

    /// <summary>The lock of this name, which a session that holds it may acquire again.</summary>
    /// <param name="name">Its name.</param>
    public virtual SharedLock ReentrantLock(string name) => new(Real(), name, LockMode.Reentrant);

    /// <summary>The lock of this name for readers, any number of which may hold it at once.</summary>
    /// <param name="name">Its name.</param>
    public virtual SharedLock ReadLock(string name) => new(Real(), name, LockMode.Read);

    /// <summary>The lock of this name for a writer, which holds it alone.</summary>
    /// <param name="name">Its name.</param>
    public virtual SharedLock WriteLock(string name) => new(Real(), name, LockMode.Write);

    /// <summary>A semaphore of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="initialPermits">The number of permits if this call creates it; null leaves that to other callers.</param>
    /// <param name="bounded">Whether the permits never exceed the initial number.</param>
    public virtual SharedSemaphore Semaphore(string name, int? initialPermits = null, bool bounded = false) =>
        new(Real(), name, initialPermits, bounded);

    /// <summary>An event of this name.</summary>
    public virtual SharedEvent Event(string name) => new(Real(), name);

    /// <summary>A condition of this name that belongs to a lock.</summary>
    public virtual SharedCondition Condition(string name, string lockName) => new(Real(), name, lockName);

    /// <summary>A barrier of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parties">The number of parties if this call creates it; 0 leaves that to other callers.</param>
    public virtual SharedBarrier Barrier(string name, int parties = 0) => new(Real(), name, parties);

    /// <summary>A latch of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="count">The initial count if this call creates it; 0 leaves that to other callers.</param>
    public virtual SharedLatch Latch(string name, long count = 0) => new(Real(), name, count);

    /// <summary>An existing rate limiter of this name.</summary>
    public virtual SharedRateLimiter RateLimiter(string name) => new(Real(), name);

    /// <summary>An existing queue of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The JSON of the items; null takes <see cref="Connection.OrchestratorClientOptions.Json"/>.</param>
    /// <typeparam name="T">The items; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public virtual SharedQueue<T> Queue<T>(string name, JsonTypeInfo<T>? type = null) => new(Real(), name, Codec(type));

    /// <summary>An existing pipe of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The JSON of the messages; null takes <see cref="Connection.OrchestratorClientOptions.Json"/>.</param>
    /// <typeparam name="T">The messages; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public virtual SharedPipe<T> Pipe<T>(string name, JsonTypeInfo<T>? type = null) => new(Real(), name, Codec(type));

    /// <summary>A dict of this name; the first entry creates it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="durability">What it survives, if this call creates it.</param>
    /// <param name="type">The JSON of the values; null takes <see cref="Connection.OrchestratorClientOptions.Json"/>.</param>
    /// <typeparam name="T">The values; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public virtual SharedDict<T> Dict<T>(
        string name, DurabilityLevel durability = DurabilityLevel.Default, JsonTypeInfo<T>? type = null) =>
        new(Real(), name, Codec(type), durability);

    /// <summary>A list of this name; the first change creates it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="durability">What it survives, if this call creates it.</param>
    /// <param name="type">The JSON of the elements; null takes <see cref="Connection.OrchestratorClientOptions.Json"/>.</param>
    /// <typeparam name="T">The elements; <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> pass as they are.</typeparam>
    public virtual SharedList<T> List<T>(
        string name, DurabilityLevel durability = DurabilityLevel.Default, JsonTypeInfo<T>? type = null) =>
        new(Real(), name, Codec(type), durability);

    /// <summary>A number of this name; the first change creates it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="durability">What it survives, if this call creates it.</param>
    /// <typeparam name="T"><c>long</c>, <c>int</c>, <c>double</c> or <c>float</c>.</typeparam>
    public virtual SharedValue<T> Value<T>(string name, DurabilityLevel durability = DurabilityLevel.Default)
        where T : struct, INumber<T> => new(Real(), name, durability);

    /// <summary>An array of numbers of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length if this call creates it; 0 leaves that to other callers.</param>
    /// <param name="durability">What it survives, if this call creates it.</param>
    /// <typeparam name="T"><c>long</c>, <c>int</c>, <c>double</c> or <c>float</c>.</typeparam>
    public virtual SharedArray<T> Array<T>(
        string name, long length = 0, DurabilityLevel durability = DurabilityLevel.Default)
        where T : struct, INumber<T> => new(Real(), name, length, durability);

    /// <summary>
    /// A flow of work within this session, for a program whose threads or tasks share one session: each acquires through its own flow.
    /// </summary>
    public virtual SessionFlow CreateFlow() => new(Real(), $"flow-{Interlocked.Increment(ref _flows)}");

    /// <summary>Closes the session and releases everything it holds. A second call waits for the same completion.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (!_isOwner)
            return ValueTask.CompletedTask;
        lock (_gate)
            return new ValueTask(_closing ??= CloseAsync());
    }

    internal static async Task<CoordinationSession> OpenAsync(
        ObjectServices services,
        string displayName,
        TimeSpan? ttl,
        CancellationToken cancellationToken)
    {
        var create = new CreateSessionRequest { DisplayName = displayName };
        if (ttl is { } value)
            create.Ttl = TimeLimits.Finite(value,
                "the time to live ends a session whose client has disappeared; give a finite one, or null for the default", nameof(ttl));
        var stream = new ObjectStream(services, create);
        try
        {
            var id = await stream.Session.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new CoordinationSession(stream, isOwner: true, id);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A session owned elsewhere, such as that of a task attempt, over a shared stream.</summary>
    internal static CoordinationSession Over(ObjectStream stream, string id) => new(stream, isOwner: false, id);

    /// <summary>
    /// Detaches a session owned elsewhere from the shared stream. The session's owner ends it and releases its holds, so this client's
    /// remaining holders see them as lost.
    /// </summary>
    internal void Detach()
    {
        if (_isOwner)
            throw new InvalidOperationException("this client opened the session; dispose it instead of detaching it");
        _stream.Noticed -= OnNotice;
        _stream.Failed -= OnFailed;
        LoseAll();
    }

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private CoordinationSession Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_stream, this, member);
        return this;
    }

    internal void ThrowIfFake([CallerMemberName] string member = "") => FakeMember.ThrowIfContract(_stream, this, member);

    internal ObjectServices Services => _stream.Services;

    /// <summary>The session is lost or closed: everything it held has already been released.</summary>
    internal bool HasEnded => _lost.IsCancellationRequested || Volatile.Read(ref _closing) is not null;

    /// <summary>Fires when the session is lost or closed.</summary>
    internal CancellationToken Ended => _ended.Token;

    /// <summary>The session id that a request names; empty for the stream's own session.</summary>
    internal string RequestSession { get; }

    internal Task<Outcome> SendAsync(Operation operation, CancellationToken cancellationToken) =>
        _stream.SendAsync(operation, cancellationToken);

    /// <summary>Posts the release of a hold. Later operations of this client on the session find it released.</summary>
    internal void PostRelease(Operation release, IPostedOperation hold)
    {
        try
        {
            _stream.Post(release, hold);
        }
        catch (OrchestratorException error)
        {
            hold.OnFailed(error);
        }
    }

    internal Task<(Outcome First, Outcome Second)> SendBothAsync(
        Operation first, Operation second, CancellationToken cancellationToken) =>
        _stream.SendBothAsync(first, second, cancellationToken);

    internal void SendAndPost(PendingOperation operation, Operation after, IPostedOperation posted) =>
        _stream.SendAndPost(operation, after, posted);

    /// <summary>The release of a hold has failed.</summary>
    internal void OnReleaseFailed(string objectName, OrchestratorException error)
    {
        // What is no longer held is what the caller wants.
        if (error is SessionLostException || error.Reason == FailureReason.NotOwner || HasEnded)
            return;
        if (ReleaseFailed is { } handler)
            handler(this, new ReleaseFailedEventArgs(objectName, error));
        else
            _ = Task.FromException(error);
    }

    internal IAsyncEnumerable<WatchStateResponse> WatchAsync(
        StateKind kind, string name, ulong afterVersion, string keyPrefix, CancellationToken cancellationToken) =>
        Services.WatchAsync(
            new WatchStateRequest { Kind = kind, Name = name, AfterVersion = afterVersion, KeyPrefix = keyPrefix }, cancellationToken);

    internal void Track(LockHold hold) => _holds.Add(hold);

    internal void Untrack(LockHold hold) => _holds.Remove(hold);

    private ValueCodec<T> Codec<T>(JsonTypeInfo<T>? type) =>
        type is null ? ValueCodec.For<T>(Services.Json) : ValueCodec.For(type);

    private async Task CloseAsync()
    {
        // Continue outside the lock that the starting caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _stream.Noticed -= OnNotice;
        _stream.Failed -= OnFailed;
        await _ended.CancelAsync().ConfigureAwait(false);
        await Services.CloseAsync(Id).ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    private void OnNotice(Notice notice)
    {
        // Each session that shares the stream gets its own notices; only one of them is the stream's own session.
        if (notice.SessionId != RequestSession)
            return;
        if (notice.Object.Length > 0)
            _holds.Lose(notice.Object);
        else if (notice.Reason == ErrorReason.SessionLost)
            LoseAll();
    }

    private void OnFailed(OrchestratorException error) => LoseAll();

    private void LoseAll()
    {
        _holds.LoseAll();
        // Not on this thread: registered callbacks may block.
        _ = _lost.CancelAsync();
        _ = _ended.CancelAsync();
    }
}
