using Orchestrator.Core.Common;

namespace Orchestrator.Core.State;

/// <summary>Finds the entries of a dict by the beginning of their keys and by their places, without reading all.</summary>
internal sealed class DictOrders(StateBudget budget)
{
    // A reader that deletes what it has read leaves nothing before the place where it continues.
    private const int MaxSteps = 1_024;

    private DictOrder<string>? _byKey;
    private DictOrder<long>? _byPlace;

    /// <summary>
    /// The entries whose keys begin so, in the order of their keys; null if the question has to be asked again
    /// (<see cref="IndexWork.IsUnfinished"/>).
    /// </summary>
    /// <param name="first">The dict's first entry.</param>
    /// <param name="prefix">The beginning.</param>
    /// <param name="after">Only keys after this one; empty for all.</param>
    /// <param name="work">What may be done now.</param>
    public IEnumerable<DictEntry>? WithPrefix(DictEntry? first, string prefix, string after, IndexWork work)
    {
        _byKey ??= new DictOrder<string>(StringComparer.Ordinal, static entry => entry.Key, budget);
        if (!_byKey.TryComplete(first, work))
            return null;
        var isAfter = string.CompareOrdinal(after, prefix) >= 0;
        return _byKey.From(isAfter ? after : prefix, isAfter && after.Length > 0)
            .TakeWhile(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal));
    }

    /// <summary>The first entry after a place where there is no entry any more.</summary>
    /// <param name="first">The dict's first entry.</param>
    /// <param name="place">The place.</param>
    /// <param name="work">What may be done now.</param>
    /// <param name="next">The entry; null if there is none.</param>
    /// <returns>Whether it was found out; if not, the question has to be asked again.</returns>
    public bool TryFindAfter(DictEntry? first, long place, IndexWork work, out DictEntry? next)
    {
        next = first;
        for (var i = 0; i < MaxSteps && next?.Place <= place; i++)
            next = next.Next;
        if (next is null || next.Place > place)
            return true;
        _byPlace ??= new DictOrder<long>(Comparer<long>.Default, static entry => entry.Place, budget);
        if (!_byPlace.TryComplete(first, work))
            return false;
        next = _byPlace.From(place, isAfter: true).FirstOrDefault();
        return true;
    }

    public void OnAdded(DictEntry entry, int entries)
    {
        _byKey?.OnAdded(entry);
        _byPlace?.OnAdded(entry);
        DropUnused(entries);
    }

    public void OnRemoving(DictEntry entry, int entries)
    {
        _byKey?.OnRemoving(entry);
        _byPlace?.OnRemoving(entry);
        DropUnused(entries);
    }

    /// <summary>All entries are about to be removed.</summary>
    public void Drop()
    {
        _byKey?.Drop();
        _byPlace?.Drop();
        (_byKey, _byPlace) = (null, null);
    }

    private void DropUnused(int entries)
    {
        if (_byKey?.IsUnused(entries) == true)
        {
            _byKey.Drop();
            _byKey = null;
        }

        if (_byPlace?.IsUnused(entries) == true)
        {
            _byPlace.Drop();
            _byPlace = null;
        }
    }
}
