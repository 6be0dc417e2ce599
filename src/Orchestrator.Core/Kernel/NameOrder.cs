using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// The objects of one kind in the order of their names: built when they are first listed, kept up from then on, and dropped when more has
/// changed since the last list than it takes to build it.
/// </summary>
internal sealed class NameOrder<T>(Dictionary<string, T> all, ContentTally contents)
    where T : NamedObject
{
    /// <summary>Memory of an object's place in the order: as measured with names in random order, rounded up.</summary>
    public const int EntryBytes = 24;

    private const int LeastUnused = 4_096;

    private readonly OrderedIndex<string, T> _index = new(StringComparer.Ordinal);
    // A copy, since a dictionary cannot be enumerated further once it has changed.
    private T[] _pending = [.. all.Values];
    private int _next;
    private int _unused;

    /// <summary>Whether keeping it has cost more, since it was last needed, than to build it again.</summary>
    public bool IsUnused => _unused > LeastUnused + (2 * all.Count);

    /// <summary>Adds the objects that are missing, as far as the question may; returns whether none is missing.</summary>
    public bool TryComplete(IndexWork work)
    {
        _unused = 0;
        for (; _next < _pending.Length; _next++)
        {
            if (!work.TryTake())
                return false;
            // It may have been dropped since, and another object of its name is in the order already.
            if (all.TryGetValue(_pending[_next].Name, out var found) && ReferenceEquals(found, _pending[_next]))
                Add(found);
        }

        (_pending, _next) = ([], 0);
        return true;
    }

    /// <summary>The objects whose names come after this one.</summary>
    public IEnumerable<T> After(string name) => _index.From(name, isAfter: true);

    public void OnAdded(T item)
    {
        _unused++;
        Add(item);
    }

    public void OnDropped(T item)
    {
        _unused++;
        var before = _index.Count;
        _index.Remove(item.Name);
        contents.Add((_index.Count - before) * EntryBytes);
    }

    public void Drop() => contents.Add(-_index.Count * EntryBytes);

    private void Add(T item)
    {
        _index.Add(item.Name, item);
        contents.Add(EntryBytes);
    }
}
