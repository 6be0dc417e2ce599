using Orchestrator.Core.Common;

namespace Orchestrator.Core.State;

/// <summary>
/// The entries of a dict in another order than that of insertion: built when a read first needs it, kept up from then on, and dropped when
/// more entries have come and gone since the last such read than it takes to build it. An entry that is only set anew costs it nothing.
/// </summary>
/// <param name="order">Compares keys.</param>
/// <param name="keyOf">The key of an entry in this order.</param>
/// <param name="budget">Counts what it takes.</param>
internal sealed class DictOrder<TKey>(IComparer<TKey> order, Func<DictEntry, TKey> keyOf, StateBudget budget)
{
    /// <summary>Memory of an entry's place in the order: as measured with keys in random order, rounded up.</summary>
    public const int EntryBytes = 24;

    private const int LeastUnused = 4_096;

    private readonly OrderedIndex<TKey, DictEntry> _index = new(order);
    // Building follows the order of insertion: entries up to this one are in the index, later ones are not.
    private DictEntry? _last;
    private int _unused;

    /// <summary>Adds the entries that are missing, as far as the question may; returns whether none is missing.</summary>
    public bool TryComplete(DictEntry? first, IndexWork work)
    {
        _unused = 0;
        for (var next = _last is null ? first : _last.Next; next is not null; next = next.Next)
        {
            if (!work.TryTake())
                return false;
            Add(next);
        }

        return true;
    }

    /// <inheritdoc cref="OrderedIndex{TKey, TItem}.From"/>
    public IEnumerable<DictEntry> From(TKey key, bool isAfter) => _index.From(key, isAfter);

    /// <summary>An entry was added at the end.</summary>
    public void OnAdded(DictEntry entry)
    {
        _unused++;
        // Otherwise the building has not come so far.
        if (entry.Previous == _last)
            Add(entry);
    }

    /// <summary>An entry is about to be removed.</summary>
    public void OnRemoving(DictEntry entry)
    {
        _unused++;
        if (_last is null || entry.Place > _last.Place)
            return;
        _index.Remove(keyOf(entry));
        budget.AddOverhead(-EntryBytes);
        if (entry == _last)
            _last = entry.Previous;
    }

    /// <summary>Whether keeping it has cost more, since it was last needed, than to build it again.</summary>
    public bool IsUnused(int entries) => _unused > LeastUnused + (2 * entries);

    public void Drop() => budget.AddOverhead(-_index.Count * EntryBytes);

    private void Add(DictEntry entry)
    {
        _index.Add(keyOf(entry), entry);
        budget.AddOverhead(EntryBytes);
        _last = entry;
    }
}
