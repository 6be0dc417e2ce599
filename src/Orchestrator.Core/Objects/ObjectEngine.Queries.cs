using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>Queries, answered from the current state.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>How many sessions there are.</summary>
    public int SessionCount => _kernel.Sessions.Count;

    /// <summary>How many named objects of all kinds there are.</summary>
    public int ObjectCount => _kernel.Quota.Count;

    /// <summary>How many queues there are.</summary>
    public int QueueCount => _queues.Count;

    /// <summary>How many items they hold, ready or not. Scans all queues.</summary>
    public long QueuedItems() => _queues.ItemCount;

    /// <summary>How many commands wait.</summary>
    public int WaitCount => _kernel.Waits.Count;

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
    public ulong LastFencingToken => Locks.LastToken;

    /// <summary>The queue's current state; null if no queue has this name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="now">The time, for ages.</param>
    public QueueInfo? FindQueue(string name, TimeSpan now) => _queues.Find(name, _kernel.Step.Latest(now));

    /// <summary>Queues in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    /// <param name="now">The time, for ages.</param>
    public IReadOnlyList<QueueInfo> ListQueues(string after, int maximum, TimeSpan now) => _queues.List(after, maximum, _kernel.Step.Latest(now));

    /// <summary>The pipe's current state; null if no pipe has this name.</summary>
    public PipeInfo? FindPipe(string name) => _pipes.Find(name);

    /// <summary>Pipes in the order of their names.</summary>
    /// <param name="after">The name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<PipeInfo> ListPipes(string after, int maximum) => _pipes.List(after, maximum);

    /// <summary>Whether there is a rate limiter of this name.</summary>
    public bool HasRateLimiter(string name) => _rateLimiters.Has(name);

    /// <summary>Every limit of the whole engine, and its current use.</summary>
    public IReadOnlyList<ObjectLimit> Limits() =>
    [
        new("objects.sessions", "sessions that own holds and waits", _options.MaxSessions, SessionCount, "sessions"),
        new("objects.named", "named objects of all kinds", _options.MaxObjects, ObjectCount, "objects"),
        new("objects.waits", "commands that wait", _options.MaxWaits, WaitCount, "waits"),
        new("objects.replays", "kept outcomes of operation and request ids", _options.MaxReplayBytes, ReplayBytes, "bytes"),
    ];

    /// <summary>
    /// The edges of the wait-for graph. A waiter far back in a queue waits for the one before it, not for all ahead: following the edges of
    /// one object leads to its holder.
    /// </summary>
    /// <param name="now">The time.</param>
    /// <param name="maximum">The most edges to return.</param>
    public IReadOnlyList<WaitEdge> ExplainWaits(TimeSpan now, int maximum = 10_000) => _kernel.Waits.Explain(_kernel.Step.Latest(now), maximum);
}
