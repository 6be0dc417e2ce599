using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>
/// What can be asked of an <see cref="ObjectEngine"/>: answered from its current state, which no question changes. To be used under the
/// host's lock.
/// </summary>
public sealed class ObjectEngineView
{
    private readonly ObjectKernel _kernel;
    private readonly LockMachine _locks;
    private readonly RateLimiterMachine _rateLimiters;
    private readonly QueueMachine _queues;
    private readonly PipeMachine _pipes;
    private readonly SharedStateMachine _state;

    internal ObjectEngineView(
        ObjectKernel kernel, LockMachine locks, RateLimiterMachine rateLimiters, QueueMachine queues, PipeMachine pipes,
        SharedStateMachine state)
    {
        _kernel = kernel;
        _locks = locks;
        _rateLimiters = rateLimiters;
        _queues = queues;
        _pipes = pipes;
        _state = state;
    }

    /// <summary>
    /// Bounds what the next question may add to an index that it needs and that is not complete. Unless the host calls this, a question
    /// completes its index.
    /// </summary>
    /// <param name="most">The most names or keys to add.</param>
    public void BeginQuestion(int most) => _kernel.Indexing.Begin(most);

    /// <summary>Whether the last question has reached its bound: its answer is void, and it has to be asked again.</summary>
    public bool IsQuestionUnfinished => _kernel.Indexing.IsUnfinished;

    /// <summary>How many sessions there are.</summary>
    public int SessionCount => _kernel.Sessions.Count;

    /// <summary>How many named objects of all kinds there are.</summary>
    public int ObjectCount => _kernel.Quota.Count;

    /// <summary>How many queues there are.</summary>
    public int QueueCount => _queues.Count;

    /// <summary>How many items they hold, ready or not.</summary>
    public long QueuedItemCount => _queues.ItemCount;

    /// <summary>How many sessions have ended since no sign of life came in time.</summary>
    public long ExpiredSessions => _kernel.Sessions.Expired;

    /// <summary>How many waits were refused since they would have closed a cycle.</summary>
    public long Deadlocks => _kernel.Waits.Deadlocks;

    /// <summary>What is held and what waits at all objects of a kind.</summary>
    public KindTally TallyOf(ObjectKind kind) => _kernel.Tallies[kind];

    /// <summary>How many commands wait.</summary>
    public int WaitCount => _kernel.WaitCharges.Count;

    /// <summary>How many bytes the kept outcomes of operation and request ids take, approximately.</summary>
    public long ReplayBytes => _kernel.Replays.Budget.Bytes;

    /// <summary>Everything that is kept, approximately: the amount that counts against the memory budget.</summary>
    public long KeptBytes => _kernel.Memory.KeptBytes;

    /// <summary>
    /// The session with this id; null if there is none. Includes sessions that were lost recently: a command on their behalf reports why.
    /// </summary>
    public Session? FindSession(string id) => _kernel.Sessions.Find(id);

    /// <summary>The sessions, in no particular order.</summary>
    public IReadOnlyCollection<Session> Sessions => _kernel.Sessions.All;

    /// <summary>The largest fencing token granted so far.</summary>
    public ulong LastFencingToken => _locks.LastToken;

    /// <summary>The queue's current state; null if no queue has this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="now">The time, for ages.</param>
    public QueueInfo? FindQueue(string name, TimeSpan now) => _queues.Find(name, _kernel.Step.Latest(now));

    /// <summary>Queues in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    /// <param name="now">The time, for ages.</param>
    public IReadOnlyList<QueueInfo> ListQueues(string after, int maximum, TimeSpan now) => _queues.List(
        after, maximum, _kernel.Step.Latest(now));

    /// <summary>The queues that keep most items, the fullest first; empty ones only if there are few others.</summary>
    /// <param name="maximum">The most to return.</param>
    /// <param name="now">The time, for ages.</param>
    public IReadOnlyList<QueueInfo> FullestQueues(int maximum, TimeSpan now) => _queues.Fullest(maximum, _kernel.Step.Latest(now));

    /// <summary>The items that a queue would deliver next, in order; null if no queue has this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<QueueItem>? PeekQueue(string name, int maximum) => _queues.Peek(name, maximum);

    /// <summary>The pipe's current state; null if no pipe has this name.</summary>
    public PipeInfo? FindPipe(string name) => _pipes.Find(name);

    /// <summary>Pipes in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<PipeInfo> ListPipes(string after, int maximum) => _pipes.List(after, maximum);

    /// <summary>Whether there is a rate limiter of this name.</summary>
    public bool HasRateLimiter(string name) => _rateLimiters.Has(name);

    /// <summary>
    /// The objects in the order of their names over all kinds (<c>barriers/a</c>, <c>locks/a</c>, <c>locks/b</c>). A page begins after the
    /// last name of the previous page: objects that are created or dropped between two pages neither hide others nor appear twice.
    /// </summary>
    /// <param name="pageSize">How many; 0 means 100, and more than 1,000 means 1,000.</param>
    /// <param name="pageToken">The last page's <see cref="SyncPage.NextPageToken"/>; empty for the first.</param>
    /// <param name="now">The time.</param>
    /// <param name="maximum">The most holders and the most waiters to list of one object.</param>
    /// <returns>A <see cref="SyncPage"/>, or an error: INVALID.</returns>
    public ObjectOutcome ListSync(int pageSize, string pageToken, TimeSpan now, int maximum = 100)
    {
        ArgumentNullException.ThrowIfNull(pageToken);
        return SyncList.Page(_kernel.Machines, pageSize, pageToken, _kernel.Step.Latest(now), maximum);
    }

    /// <summary>The keys and values of all shared state, in bytes.</summary>
    public long StateBytes => _state.Bytes;

    /// <summary>The changes that are kept for watches, in bytes, approximately.</summary>
    public long StateHistoryBytes => _state.HistoryBytes;

    /// <summary>The changes of an object after a version: for a watch.</summary>
    /// <param name="kind">Dict, list, value or array.</param>
    /// <param name="name">Its name.</param>
    /// <param name="afterVersion">The version that is known; 0 while the object does not exist.</param>
    /// <param name="maximum">The most changes to return.</param>
    /// <param name="keyPrefix">For a dict: only keys that begin so.</param>
    public StateChanges ReadChanges(ObjectKind kind, string name, ulong afterVersion, int maximum, string keyPrefix = "") =>
        _state.ReadChanges(kind, name, afterVersion, maximum, keyPrefix);

    /// <summary>Objects in the order of their <see cref="StateInfo.QualifiedName"/>.</summary>
    /// <param name="kind">Dict, list, value or array; null for all.</param>
    /// <param name="after">The qualified name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<StateInfo> ListState(ObjectKind? kind, string after, int maximum) => _state.List(kind, after, maximum);

    /// <summary>Entries of a dict: a <see cref="DictPage"/>, or an INVALID <see cref="ObjectError"/>.</summary>
    /// <param name="query">The keys or page to read.</param>
    /// <param name="now">The time: entries that have expired by then are missing.</param>
    public ObjectOutcome ReadDict(DictQuery query, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(query);
        return _state.Dicts.Read(query, _kernel.Step.Latest(now));
    }

    /// <summary>
    /// A slice of a list: a <see cref="ListPage"/>, or an INVALID <see cref="ObjectError"/>. As with Python's slices, indices outside the
    /// list are ignored.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="start">Where to begin; negative counts from the end.</param>
    /// <param name="limit">The most to read; 0 reads to the end.</param>
    public ObjectOutcome ReadList(string name, long start, long limit) => _state.Lists.Read(name, start, limit);

    /// <summary>A number: a <see cref="ValueReading"/>, or an INVALID <see cref="ObjectError"/>.</summary>
    /// <param name="name">Its name.</param>
    public ObjectOutcome ReadValue(string name) => _state.Numbers.ReadValue(name);

    /// <summary>
    /// A slice of an array: an <see cref="ArrayPage"/>, or an INVALID <see cref="ObjectError"/>. Indices outside the array are
    /// ignored.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="start">Where to begin; negative counts from the end.</param>
    /// <param name="limit">The most to read; 0 reads to the end.</param>
    public ObjectOutcome ReadArray(string name, long start, long limit) => _state.Numbers.ReadArray(name, start, limit);

    /// <summary>The largest lease id assigned so far.</summary>
    public ulong LastLeaseId => _queues.LastLeaseId;

    /// <summary>Every limit of the whole engine, and its current use.</summary>
    public IReadOnlyList<ObjectLimit> Limits() =>
    [
        new("objects.sessions", "sessions that own holds and waits", _kernel.Options.MaxSessions, SessionCount, "sessions"),
        new("objects.named", "named objects of all kinds", _kernel.Options.MaxObjects, ObjectCount, "objects"),
        new("objects.waits", "commands that wait", _kernel.Options.MaxWaits, WaitCount, "waits"),
        new("objects.replays", "kept outcomes of operation and request ids", _kernel.Options.MaxReplayBytes, ReplayBytes, "bytes"),
    ];

    /// <summary>
    /// The edges of the wait-for graph. A waiter far back in a queue waits for the one before it, not for all ahead: following the edges of
    /// one object leads to its holder.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="maximum">The most edges to return.</param>
    public IReadOnlyList<WaitEdge> ExplainWaits(TimeSpan now, int maximum = 10_000) => _kernel.Waits.Explain(
        _kernel.Step.Latest(now), maximum);
}
