using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>The result of one update's edits, before any of them is applied. One instance is reused.</summary>
internal sealed class DictDraft
{
    private readonly Dictionary<string, Content?> _values = [];
    private DictState? _dict;
    private bool _clear;
    private long _now;

    /// <summary>In order; later changes of a key replace earlier ones.</summary>
    public List<Change> Changes { get; } = [];

    /// <summary>How many entries there would be.</summary>
    public long Count { get; private set; }

    /// <summary>How many bytes they would take.</summary>
    public long Bytes { get; private set; }

    public void Begin(DictState? dict, bool clear, long now)
    {
        (_dict, _clear, _now) = (dict, clear, now);
        _values.Clear();
        Changes.Clear();
        Count = clear ? 0 : dict?.Count ?? 0;
        Bytes = clear ? 0 : dict?.Bytes ?? 0;
    }

    public Content? Find(string key)
    {
        if (_values.TryGetValue(key, out var drafted))
            return drafted;
        return _clear ? null : _dict?.Find(key, _now)?.Value;
    }

    public void Set(string key, Content value, TimeSpan? ttl, bool keepsTtl)
    {
        Remove(key);
        Count++;
        Bytes += DictState.Size(key, value);
        _values[key] = value;
        Changes.Add(new Change(key, value, ttl, keepsTtl));
    }

    public void Delete(string key)
    {
        Remove(key);
        _values[key] = null;
        Changes.Add(new Change(key, null, null, false));
    }

    private void Remove(string key)
    {
        if (Find(key) is not { } old)
            return;
        Count--;
        Bytes -= DictState.Size(key, old);
    }

    /// <summary>A change of one entry: a new value, or, with null, its removal.</summary>
    public readonly record struct Change(string Key, Content? Value, TimeSpan? Ttl, bool KeepsTtl);
}
