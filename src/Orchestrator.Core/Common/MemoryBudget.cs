namespace Orchestrator.Core.Common;

/// <summary>
/// The bytes that a coordinator may keep for its clients: inputs, results, items, messages, values, and a record for each. All engines of
/// one process share one budget, so it is the only object here that several threads access.
/// </summary>
/// <remarks>
/// New work is refused at four fifths of it: work accepted before must still find room for its results. No kind of work, tasks or shared
/// objects, gets more than three fifths, so that a flood of one leaves room for the other; and no client's unfinished tasks get more than
/// half of that, so that they leave room for other clients.
/// </remarks>
/// <param name="limit">The most bytes.</param>
public sealed class MemoryBudget(long limit)
{
    private long _used;

    /// <summary>The most bytes.</summary>
    public long Limit => limit;

    /// <summary>The most bytes at which new work is still accepted.</summary>
    public long AdmissionLimit { get; } = limit / 5 * 4;

    /// <summary>The most bytes of one kind of work.</summary>
    public long PerKindLimit { get; } = limit / 5 * 3;

    /// <summary>The most bytes of one client's unfinished tasks.</summary>
    public long PerClientLimit { get; } = limit / 10 * 3;

    /// <summary>The bytes that are kept now.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>Changes the number of kept bytes.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _used, bytes);
}

/// <summary>
/// The bytes kept by one engine. It counts under its own lock, and publishes the sum at the end of each step: one shared write
/// however much was done.
/// </summary>
internal sealed class MemoryShare(MemoryBudget budget)
{
    private long _told;

    public MemoryBudget Budget => budget;

    /// <summary>Whether the engine may accept new work, after which it would keep this many bytes.</summary>
    public bool FitsNewWork(long bytes) => bytes <= budget.PerKindLimit && Total(bytes) <= budget.AdmissionLimit;

    /// <summary>Whether the engine may keep this many bytes for work that it has accepted before.</summary>
    public bool Fits(long bytes) => Total(bytes) <= budget.Limit;

    /// <summary>Publishes the number of bytes that the engine keeps now.</summary>
    public void Publish(long bytes)
    {
        if (bytes == _told)
            return;
        budget.Add(bytes - _told);
        _told = bytes;
    }

    private long Total(long bytes) => budget.Used - _told + bytes;
}
