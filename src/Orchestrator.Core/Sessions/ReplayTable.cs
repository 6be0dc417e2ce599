using Orchestrator.Core.Objects;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Sessions;

/// <summary>What became of the commands that carried an id, for a window of time and up to a number and a size: idempotency.</summary>
internal sealed class ReplayTable<TKey>(ObjectEngineOptions options, ReplayBudget budget)
    where TKey : notnull
{
    // Entry in the dictionary, its place in the queue and the outcome itself, roughly.
    private const int EntryBytes = 128;

    private readonly Dictionary<TKey, Replay> _replays = [];
    private readonly Queue<(TKey Key, object State, int Bytes, long Expires)> _byAge = new();
    private long _bytes;

    public bool TryFind(TKey key, long now, out Replay replay)
    {
        while (_byAge.TryPeek(out var oldest) && oldest.Expires <= now)
            RemoveOldest();
        return _replays.TryGetValue(key, out replay);
    }

    /// <summary>The command waits; until it ends, its entry does not age.</summary>
    public void Begin(TKey key, Wait wait) => _replays[key] = new Replay(wait.Command.GetType(), wait);

    public void Complete(TKey key, Type command, ObjectOutcome outcome, long now)
    {
        _replays[key] = new Replay(command, outcome);
        var bytes = EntryBytes + outcome.Bytes;
        _byAge.Enqueue((key, outcome, bytes, now > long.MaxValue - options.ReplayWindow.Ticks ? long.MaxValue : now + options.ReplayWindow.Ticks));
        _bytes += bytes;
        budget.Bytes += bytes;
        while (_byAge.Count > 0 && (_byAge.Count > options.MaxReplays || _bytes > options.MaxReplayBytesPerSession || budget.Bytes > options.MaxReplayBytes))
            RemoveOldest();
    }

    public void Remove(TKey key) => _replays.Remove(key);

    public void Clear()
    {
        _replays.Clear();
        _byAge.Clear();
        budget.Bytes -= _bytes;
        _bytes = 0;
    }

    private void RemoveOldest()
    {
        var (key, state, bytes, _) = _byAge.Dequeue();
        _bytes -= bytes;
        budget.Bytes -= bytes;
        // An id that was given back and used anew has a younger entry of its own.
        if (_replays.TryGetValue(key, out var replay) && ReferenceEquals(replay.State, state))
            _replays.Remove(key);
    }
}

/// <summary>The size of all kept outcomes.</summary>
internal sealed class ReplayBudget
{
    public long Bytes { get; set; }
}

/// <summary>A command that carried an id: its kind, and its <see cref="ObjectOutcome"/>, or its <see cref="Wait"/> while it waits.</summary>
internal readonly record struct Replay(Type Command, object State);
