namespace Orchestrator.Core.Kernel;

/// <summary>The outcomes of commands that carried an id, for a window of time and up to a number and a size: idempotency.</summary>
internal sealed class ReplayTable<TKey>(KernelOptions options, ReplayBudget budget)
    where TKey : notnull
{
    // An entry in the dictionary, its place in the queue and the outcome itself, approximately.
    private const int EntryBytes = 128;

    private readonly Dictionary<TKey, Replay> _replays = [];
    // Each in the order in which it expires.
    private readonly Queue<Kept> _kept = new();
    private readonly Queue<Kept> _keptBriefly = new();
    private long _bytes;

    /// <summary>Whether nothing is kept and nothing waits.</summary>
    public bool IsEmpty => _replays.Count == 0;

    public bool TryFind(TKey key, long now, out Replay replay)
    {
        Expire(now);
        return _replays.TryGetValue(key, out replay);
    }

    public void Expire(long now)
    {
        while (_kept.TryPeek(out var oldest) && oldest.Expires <= now)
            RemoveOldest(_kept);
        while (_keptBriefly.TryPeek(out var oldest) && oldest.Expires <= now)
            RemoveOldest(_keptBriefly);
    }

    /// <summary>The command waits; until it ends, its entry does not age.</summary>
    public void Begin(TKey key, Wait wait) => _replays[key] = new Replay(wait.Command.GetType(), wait);

    public void Complete(TKey key, Type command, ObjectOutcome outcome, bool briefly, long now)
    {
        _replays[key] = new Replay(command, outcome);
        var bytes = EntryBytes + outcome.Bytes;
        var window = (briefly ? options.BriefReplayWindow : options.ReplayWindow).Ticks;
        (briefly ? _keptBriefly : _kept).Enqueue(
            new Kept(key, outcome, bytes, now > long.MaxValue - window ? long.MaxValue : now + window));
        _bytes += bytes;
        budget.Bytes += bytes;
        while (_bytes > 0 && (_kept.Count + _keptBriefly.Count > options.MaxReplays || _bytes > options.MaxReplayBytesPerSession
            || budget.Bytes > options.MaxReplayBytes))
            RemoveOldest(_keptBriefly.TryPeek(out var brief) && (!_kept.TryPeek(out var other) || brief.Expires < other.Expires)
                ? _keptBriefly : _kept);
    }

    /// <summary>A kept outcome is delivered once more.</summary>
    public void AddDelivery(TKey key)
    {
        if (_replays.TryGetValue(key, out var replay))
            _replays[key] = replay with { Deliveries = replay.Deliveries + 1 };
    }

    /// <summary>A kept outcome did not reach its caller; returns whether it has now reached none.</summary>
    public bool RemoveDelivery(TKey key)
    {
        if (!_replays.TryGetValue(key, out var replay) || replay.Deliveries <= 1)
            return true;
        _replays[key] = replay with { Deliveries = replay.Deliveries - 1 };
        return false;
    }

    public void Remove(TKey key) => _replays.Remove(key);

    public void Clear()
    {
        _replays.Clear();
        _kept.Clear();
        _keptBriefly.Clear();
        budget.Bytes -= _bytes;
        _bytes = 0;
    }

    private void RemoveOldest(Queue<Kept> queue)
    {
        var oldest = queue.Dequeue();
        _bytes -= oldest.Bytes;
        budget.Bytes -= oldest.Bytes;
        // An id that was released and used anew has a younger entry of its own.
        if (_replays.TryGetValue(oldest.Key, out var replay) && ReferenceEquals(replay.State, oldest.Outcome))
            _replays.Remove(oldest.Key);
    }

    private readonly record struct Kept(TKey Key, ObjectOutcome Outcome, int Bytes, long Expires);
}

/// <summary>The size of all kept outcomes.</summary>
internal sealed class ReplayBudget
{
    public long Bytes { get; set; }
}

/// <summary>
/// A command that carried an id: its kind, and its <see cref="ObjectOutcome"/>, or its <see cref="Wait"/> while it waits.
/// </summary>
internal readonly record struct Replay(Type Command, object State)
{
    /// <summary>How many callers the outcome was delivered to.</summary>
    public int Deliveries { get; init; } = 1;
}
