using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>The last changes of one object: a ring that grows on demand. Their versions are consecutive.</summary>
internal sealed class StateHistory(StateOptions options, StateBudget budget)
{
    /// <summary>Receives each change: the journal's recorder for a durable object; otherwise null.</summary>
    public Action<StateChange>? Recorder { get; set; }

    private StateChange[] _ring = [];
    private int _first;

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>The kept change at this index, from the oldest.</summary>
    public StateChange this[int index] => _ring[(_first + index) % _ring.Length];

    public void Add(StateChange change)
    {
        Recorder?.Invoke(change);
        Account(change.Bytes);
        if (Count == _ring.Length)
            Grow();
        _ring[(_first + Count++) % _ring.Length] = change;
        while (Count > options.HistoryChanges || (budget.AllHistoryBytes > options.MaxHistoryBytes && Count > 1))
            RemoveOldest();
    }

    public void Clear()
    {
        budget.AddHistory(-Bytes);
        Bytes = 0;
        Count = 0;
        _ring = [];
    }

    private void RemoveOldest()
    {
        Account(-_ring[_first].Bytes);
        _ring[_first] = null!;
        _first = (_first + 1) % _ring.Length;
        Count--;
    }

    private void Account(long bytes)
    {
        Bytes += bytes;
        budget.AddHistory(bytes);
    }

    private void Grow()
    {
        var larger = new StateChange[Math.Max(4, _ring.Length * 2)];
        for (var i = 0; i < Count; i++)
            larger[i] = this[i];
        _ring = larger;
        _first = 0;
    }
}

/// <summary>The size of shared state.</summary>
/// <param name="all">The parent budget, which counts it too.</param>
/// <param name="client">The client that it is charged to.</param>
/// <param name="contents">For the parent: the tally of all content.</param>
internal sealed class StateBudget(StateBudget? all = null, ClientObjectQuota? client = null, ContentTally? contents = null)
{
    /// <summary>Keys and values.</summary>
    public long Bytes { get; private set; }

    /// <summary>Changes that are kept for watches.</summary>
    public long HistoryBytes { get; private set; }

    /// <summary>Those of all objects.</summary>
    public long AllHistoryBytes => all?.AllHistoryBytes ?? HistoryBytes;

    public void Add(long bytes)
    {
        Bytes += bytes;
        client?.Bytes += bytes;
        all?.Add(bytes);
        contents?.Add(bytes);
    }

    /// <summary>Memory besides keys and values: it counts against the memory budget, not against the limits of shared state.</summary>
    public void AddOverhead(long bytes)
    {
        client?.Bytes += bytes;
        all?.AddOverhead(bytes);
        contents?.Add(bytes);
    }

    public void AddHistory(long bytes)
    {
        HistoryBytes += bytes;
        client?.Bytes += bytes;
        all?.AddHistory(bytes);
        contents?.Add(bytes);
    }
}
