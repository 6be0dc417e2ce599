namespace Orchestrator.Core.Budgets;

/// <summary>
/// The bytes that a coordinator may keep for others: inputs, results, items, messages, values, and a record for each. All engines of one process share one, so it
/// is the only thing here that several threads touch.
/// </summary>
/// <remarks>
/// New work is refused at four fifths of it: what was accepted before must still find room for its results. No kind of work, tasks or shared objects, gets more
/// than three fifths, so that a flood of one leaves room for the other; and no client's unfinished tasks more than half of that, so that it leaves room for
/// other clients.
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

    /// <summary>More, or less, is kept.</summary>
    public void Add(long bytes) => Interlocked.Add(ref _used, bytes);
}

/// <summary>What one engine keeps. It counts for itself under its own lock, and tells the others at the end of each step: one shared write however much was done.</summary>
internal sealed class MemoryShare(MemoryBudget budget)
{
    private long _told;

    public MemoryBudget Budget => budget;

    /// <summary>Whether the engine may take in new work, after which it would keep so many bytes.</summary>
    public bool FitsNewWork(long bytes) => bytes <= budget.PerKindLimit && Total(bytes) <= budget.AdmissionLimit;

    /// <summary>Whether the engine may keep so many bytes, of what it has accepted before.</summary>
    public bool Fits(long bytes) => Total(bytes) <= budget.Limit;

    /// <summary>The engine keeps so many bytes now.</summary>
    public void Publish(long bytes)
    {
        if (bytes == _told)
            return;
        budget.Add(bytes - _told);
        _told = bytes;
    }

    private long Total(long bytes) => budget.Used - _told + bytes;
}
