namespace Orchestrator.Core.Kernel;

/// <summary>The settings that all primitives share. Limits apply to the whole engine unless they say otherwise.</summary>
public record KernelOptions
{
    /// <summary>
    /// How long a session lives without a sign of life, unless it sets its own time; also the default lease of a hold without a
    /// session.
    /// </summary>
    public TimeSpan DefaultSessionTtl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest time to live that a session or lease may ask for.</summary>
    public TimeSpan MaxSessionTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The most sessions at once.</summary>
    public int MaxSessions { get; init; } = 100_000;

    /// <summary>Of those, how many are reserved for the attempts of tasks: clients cannot lock tasks out.</summary>
    public int SessionsForTasks => MaxSessions / 10;

    /// <summary>
    /// The most sessions at once of one client: those that it created, those created implicitly by its requests, and those of its
    /// tasks.
    /// </summary>
    public int MaxSessionsPerClient { get; init; } = 20_000;

    /// <summary>The most named objects of all kinds at once.</summary>
    public int MaxObjects { get; init; } = 1_000_000;

    /// <summary>The most commands that may wait at once.</summary>
    public int MaxWaits { get; init; } = 1_000_000;

    /// <summary>The most named objects at once that one client has created.</summary>
    public int MaxObjectsPerClient { get; init; } = 500_000;

    /// <summary>The most commands of one client that may wait at once.</summary>
    public int MaxWaitsPerClient { get; init; } = 500_000;

    /// <summary>The largest item, message or value, in bytes.</summary>
    public int LargestContent { get; init; } = int.MaxValue;

    /// <summary>
    /// How long an object without holders, waiters and uses is kept while clients may still refer to it: a barrier, a latch that is open or
    /// untouched, a semaphore for signals. Then it is dropped, and the next use creates it anew.
    /// </summary>
    public TimeSpan IdleTtl { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How many lost sessions are remembered, so that a late caller gets the cause.</summary>
    public int MaxLostSessions { get; init; } = 1_000;

    /// <summary>How long the outcome of an operation id or request id is kept.</summary>
    public TimeSpan ReplayWindow { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the outcome of a request id is kept that holds items or messages which were taken permanently.</summary>
    public TimeSpan BriefReplayWindow { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The most outcomes that are kept per session and kind of id.</summary>
    public int MaxReplays { get; init; } = 100_000;

    /// <summary>The most bytes that the kept outcomes of one session and kind of id may take.</summary>
    public long MaxReplayBytesPerSession { get; init; } = 16L << 20;

    /// <summary>The most bytes that all kept outcomes may take.</summary>
    public long MaxReplayBytes { get; init; } = 256L << 20;

    /// <summary>
    /// Makes a session's id from a number that grows from 1. A host adds a random part, so that an id can neither be guessed nor denote
    /// another session after a restart.
    /// </summary>
    public Func<long, string> SessionIds { get; init; } = number => $"session-{number}";
}
