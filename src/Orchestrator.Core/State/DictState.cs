using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>A dictionary in the order of insertion, like Python's: a reassigned entry keeps its place.</summary>
internal sealed class DictState(string name, StateOptions options, StateBudget budget) : StateObject(ObjectKind.Dict, name, options, budget)
{
    /// <summary>Memory of an entry besides its key's characters and its value: as measured with a million, rounded up.</summary>
    public const int EntryBytes = 180;

    private readonly Dictionary<string, DictEntry> _entries = [];
    private readonly StateBudget _budget = budget;
    private DictOrders? _orders;
    private DictEntry? _last;
    private long _lastPlace;

    public override long Count => _entries.Count;

    public DictEntry? First { get; private set; }

    /// <summary>The entry, unless it has expired by then.</summary>
    public DictEntry? Find(string key, long now) => _entries.TryGetValue(key, out var entry) && !entry.HasExpired(now) ? entry : null;

    public static int Size(string key, Content value) => (int)Math.Min(int.MaxValue, (long)key.Length + value.Bytes);

    public DictEntry Set(string key, Content value)
    {
        if (_entries.TryGetValue(key, out var entry))
        {
            AddBytes(value.Bytes - entry.Value.Bytes);
        }
        else
        {
            entry = Insert(key, value);
        }

        entry.Value = value;
        entry.Version = ++Version;
        History.Add(new DictEntrySet(Version, key, value));
        return entry;
    }

    /// <summary>Restores an entry of an earlier process, at the end.</summary>
    public DictEntry Restore(string key, Content value, ulong version)
    {
        var entry = Insert(key, value);
        entry.Version = version;
        return entry;
    }

    public void Delete(DictEntry entry, IPrimitiveContext context)
    {
        if (entry.Expiry is { } timer)
            context.ClearTimer(timer);
        _orders?.OnRemoving(entry, _entries.Count);
        _entries.Remove(entry.Key);
        if (entry.Previous is { } previous)
            previous.Next = entry.Next;
        else
            First = entry.Next;
        if (entry.Next is { } next)
            next.Previous = entry.Previous;
        else
            _last = entry.Previous;
        AddBytes(-Size(entry.Key, entry.Value));
        _budget.AddOverhead(-EntryBytes);
        History.Add(new DictEntryDeleted(++Version, entry.Key));
    }

    /// <summary>The first entry after a place, whether or not the entry at that place still exists.</summary>
    /// <returns>Whether it was found out; if not, the question has to be asked again (<see cref="IndexWork.IsUnfinished"/>).</returns>
    public bool TryFindAfter(string key, long place, IndexWork work, out DictEntry? next)
    {
        if (!_entries.TryGetValue(key, out var there) || there.Place != place)
            return Orders.TryFindAfter(First, place, work, out next);
        next = there.Next;
        return true;
    }

    /// <inheritdoc cref="DictOrders.WithPrefix"/>
    public IEnumerable<DictEntry>? WithPrefix(string prefix, string after, IndexWork work) =>
        Orders.WithPrefix(First, prefix, after, work);

    /// <summary>All entries are about to be deleted one by one.</summary>
    public void DropOrders()
    {
        _orders?.Drop();
        _orders = null;
    }

    public override void Clear(IPrimitiveContext context)
    {
        for (var entry = First; entry is not null; entry = entry.Next)
        {
            if (entry.Expiry is { } timer)
                context.ClearTimer(timer);
        }

        DropOrders();
        _budget.AddOverhead(-EntryBytes * (long)_entries.Count);
        _entries.Clear();
        First = _last = null;
        base.Clear(context);
    }

    private DictEntry Insert(string key, Content value)
    {
        var entry = new DictEntry(key, ++_lastPlace) { Previous = _last, Value = value };
        if (_last is { } last)
            last.Next = entry;
        else
            First = entry;
        _last = entry;
        _entries.Add(key, entry);
        AddBytes(Size(key, value));
        _budget.AddOverhead(EntryBytes);
        _orders?.OnAdded(entry, _entries.Count);
        return entry;
    }

    private DictOrders Orders => _orders ??= new DictOrders(_budget);
}

/// <summary>An entry of a dict, a link of its order.</summary>
internal sealed class DictEntry(string key, long place)
{
    public string Key => key;

    /// <summary>Larger than that of any entry inserted before.</summary>
    public long Place => place;

    public Content Value { get; set; }

    public ulong Version { get; set; }

    public DictEntry? Previous { get; set; }

    public DictEntry? Next { get; set; }

    public DictExpiry? Expiry { get; set; }

    public bool HasExpired(long now) => Expiry is { HeapIndex: >= 0 } timer && timer.Deadline <= now;
}

/// <summary>The end of an entry's time to live.</summary>
internal sealed class DictExpiry(long order, DictState dict, DictEntry entry) : ObjectTimer(order)
{
    public DictEntry Entry => entry;

    public override NamedObject Object => dict;
}
