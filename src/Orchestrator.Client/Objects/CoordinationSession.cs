using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// A session at the coordinator and what can be reached through it: locks, semaphores, events and the like, shared by every process that names them. It owns
/// what is acquired through it; when it ends, by disposal, by loss of the connection beyond its time to live or with the task attempt it belongs
/// to, everything goes back.
/// </summary>
/// <remarks>Safe for many threads. All its operations share one stream, and a wait costs no call of its own.</remarks>
public sealed class CoordinationSession : IAsyncDisposable
{
    private static readonly TimeSpan s_closeLimit = TimeSpan.FromSeconds(5);

    private readonly ObjectStream _stream;
    private readonly bool _isOwner;
    private readonly CancellationTokenSource _lost = new();
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<LockHold>> _holds = [];
    private readonly string _named;
    private bool _isLost;
    private int _flows;
    private Task? _closing;

    private CoordinationSession(ObjectStream stream, bool isOwner, string id)
    {
        _stream = stream;
        _isOwner = isOwner;
        Id = id;
        _named = isOwner ? "" : id;
        stream.Noticed += OnNotice;
        stream.Failed += OnFailed;
    }

    /// <summary>The session's id.</summary>
    public string Id { get; }

    /// <summary>
    /// How lists and messages show this session, which its id would give into others' hands: <c>s-</c> and the first 8 hexadecimal digits of the id's SHA-256. A task
    /// attempt's session is shown by its id.
    /// </summary>
    public string Alias => _isOwner ? $"s-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Id)))[..8]}" : Id;

    /// <summary>Fires when the session is lost: nothing that it held is held any more.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>A lock of this name, for all who name it.</summary>
    /// <param name="name">Its name: letters, digits and <c>._/-</c>, at most 128.</param>
    /// <param name="mode">How it is acquired.</param>
    public SharedLock Lock(string name, LockMode mode = LockMode.Plain) => new(this, name, mode);

    /// <summary>A semaphore of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="initialPermits">How many permits it has when this creates it; null leaves that to others.</param>
    /// <param name="bounded">Whether it never has more than at first.</param>
    public SharedSemaphore Semaphore(string name, int? initialPermits = null, bool bounded = false) => new(this, name, initialPermits, bounded);

    /// <summary>An event of this name.</summary>
    public SharedEvent Event(string name) => new(this, name);

    /// <summary>A condition of this name that belongs to a lock.</summary>
    public SharedCondition Condition(string name, string lockName) => new(this, name, lockName);

    /// <summary>A barrier of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parties">For how many it is when this creates it; 0 leaves that to others.</param>
    public SharedBarrier Barrier(string name, int parties = 0) => new(this, name, parties);

    /// <summary>A latch of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="count">From where it counts when this creates it; 0 leaves that to others.</param>
    public SharedLatch Latch(string name, long count = 0) => new(this, name, count);

    /// <summary>A rate limiter of this name, which somebody has created.</summary>
    public SharedRateLimiter RateLimiter(string name) => new(this, name);

    /// <summary>A queue of this name, which somebody has created.</summary>
    public SharedQueue Queue(string name) => new(this, name);

    /// <summary>A pipe of this name, which somebody has created.</summary>
    public SharedPipe Pipe(string name) => new(this, name);

    /// <summary>A dict of this name; it comes into being with its first entry.</summary>
    public SharedDict Dict(string name) => new(this, name);

    /// <summary>A list of this name; it comes into being with its first change.</summary>
    public SharedList List(string name) => new(this, name);

    /// <summary>A number of this name; it comes into being with its first change.</summary>
    public SharedValue Value(string name) => new(this, name);

    /// <summary>An array of numbers of this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="length">Its length when this creates it; 0 leaves that to others.</param>
    public SharedArray Array(string name, long length = 0) => new(this, name, length);

    /// <summary>
    /// A flow of work within this session, for a program whose threads or tasks share one session: acquire through it what that one thread or task needs.
    /// </summary>
    public SessionFlow CreateFlow() => new(this, $"flow-{Interlocked.Increment(ref _flows)}");

    /// <summary>Closes the session: all that it holds goes back. Once more, it waits for the same end.</summary>
    public ValueTask DisposeAsync()
    {
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
            create.Ttl = TimeLimits.Finite(value, "its time to live is what ends a session whose client is gone; name one, or null for the default", nameof(ttl));
        var stream = new ObjectStream(services, create);
        try
        {
            var id = await stream.Session.WaitAsync(cancellationToken);
            return new CoordinationSession(stream, isOwner: true, id);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>A session that exists by itself, as that of a task attempt does, over somebody else's stream.</summary>
    internal static CoordinationSession Over(ObjectStream stream, string id) => new(stream, isOwner: false, id);

    /// <summary>
    /// Lets go of the stream that a session of somebody else's shares; what it holds is settled by whoever ends that session, so that to whoever still holds something
    /// here it is lost.
    /// </summary>
    public void Detach()
    {
        if (_isOwner)
            throw new InvalidOperationException("a session that was opened here is closed by disposing it");
        _stream.Noticed -= OnNotice;
        _stream.Failed -= OnFailed;
        LoseAll();
    }

    internal ObjectServices Services => _stream.Services;

    /// <summary>It is lost or closed: whatever is given back through it has gone back already.</summary>
    internal bool HasEnded => _lost.IsCancellationRequested || Volatile.Read(ref _closing) is not null;

    /// <summary>What a request is to name: nothing where the stream's own session is meant.</summary>
    internal string RequestSession => _named;

    internal Task<Outcome> SendAsync(Operation operation, CancellationToken cancellationToken) => _stream.SendAsync(operation, cancellationToken);

    internal async IAsyncEnumerable<WatchStateResponse> WatchAsync(
        StateKind kind, string name, ulong afterVersion, string keyPrefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new WatchStateRequest { Kind = kind, Name = name, AfterVersion = afterVersion, KeyPrefix = keyPrefix };
        using var call = Services.State.WatchState(request, cancellationToken: cancellationToken);
        while (await Services.Errors.MoveNextAsync(call.ResponseStream, cancellationToken))
            yield return call.ResponseStream.Current;
    }

    internal void Track(LockHold hold)
    {
        lock (_gate)
        {
            // The news of the loss may have overtaken whoever was granted the hold.
            if (_isLost)
            {
                hold.SetLost();
                return;
            }

            if (!_holds.TryGetValue(hold.ObjectName, out var holds))
                _holds.Add(hold.ObjectName, holds = []);
            holds.Add(hold);
        }
    }

    internal void Untrack(LockHold hold)
    {
        lock (_gate)
        {
            if (_holds.TryGetValue(hold.ObjectName, out var holds) && holds.Remove(hold) && holds.Count == 0)
                _holds.Remove(hold.ObjectName);
        }
    }

    private async Task CloseAsync()
    {
        // Out of the lock, in which this was started.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _stream.Noticed -= OnNotice;
        _stream.Failed -= OnFailed;
        try
        {
            using var limit = new CancellationTokenSource(s_closeLimit, TimeProvider.System);
            await Services.Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = Id }, cancellationToken: limit.Token);
        }
        catch (Exception exception) when (exception is Grpc.Core.RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // It has ended already, or its time to live will end it: a disposal must not wait for a coordinator that does not answer.
        }

        await _stream.DisposeAsync();
    }

    private void OnNotice(Notice notice)
    {
        // Of the sessions that share a stream each has its own notices; only one of them is the stream's.
        if (notice.SessionId != _named)
            return;
        if (notice.Object.Length > 0)
            Lose(notice.Object);
        else if (notice.Reason == ErrorReason.SessionLost)
            LoseAll();
    }

    private void OnFailed(OrchestratorException error) => LoseAll();

    private void Lose(string objectName)
    {
        LockHold[] lost;
        lock (_gate)
            lost = _holds.Remove(objectName, out var holds) ? [.. holds] : [];
        foreach (var hold in lost)
            hold.SetLost();
    }

    private void LoseAll()
    {
        string[] names;
        lock (_gate)
        {
            _isLost = true;
            names = [.. _holds.Keys];
        }

        foreach (var name in names)
            Lose(name);
        // Off this thread: whoever registered may do anything.
        _ = _lost.CancelAsync();
    }
}
