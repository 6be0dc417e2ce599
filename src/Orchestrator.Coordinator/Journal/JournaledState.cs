using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>The state of one dict, list, value or array after the records so far.</summary>
internal sealed class JournaledState(StateBegun begun)
{
    private const int EntriesPerRecord = 512;
    private const int ElementsPerRecord = 8_192;

    // Far more than the engine allows: a corrupt length must not exhaust the machine's memory.
    private const ulong MaxElements = 1 << 30;

    private readonly LinkedList<KeptEntry> _order = [];
    private readonly Dictionary<string, LinkedListNode<KeptEntry>> _entries = [];

    public StateBegun Begun => begun;

    public ulong Version { get; private set; } = begun.Version;

    /// <summary>Of a dict, in the order of insertion.</summary>
    public IEnumerable<KeptEntry> Entries => _order;

    /// <summary>Of a list.</summary>
    public List<V1.Payload> Values { get; private set; } = [];

    /// <summary>Of a value.</summary>
    public V1.Number? Number { get; private set; }

    /// <summary>Of an array, as bits.</summary>
    public List<ulong> Elements { get; } = [];

    /// <summary>Whether an array's numbers are doubles; null while it has no type.</summary>
    public bool? IsReal { get; set; }

    public void Apply(StateEdited edited)
    {
        Version = edited.Version;
        switch (edited.EditCase)
        {
            case StateEdited.EditOneofCase.EntrySet:
                Set(edited.EntrySet, edited.Version);
                break;
            case StateEdited.EditOneofCase.EntryDeleted:
                _order.Remove(_entries[edited.EntryDeleted]);
                _entries.Remove(edited.EntryDeleted);
                break;
            case StateEdited.EditOneofCase.List:
                Apply(edited.List);
                break;
            case StateEdited.EditOneofCase.Number:
                Number = edited.Number;
                break;
            case StateEdited.EditOneofCase.ElementSet:
                Elements[(int)edited.ElementSet.Index] = Bits(edited.ElementSet.Number);
                break;
            case StateEdited.EditOneofCase.ArrayCreated:
                if (edited.ArrayCreated > MaxElements)
                    throw new JournalException($"an array cannot have {edited.ArrayCreated} elements");
                Elements.AddRange(Enumerable.Repeat(0ul, (int)edited.ArrayCreated));
                break;
            default:
                throw new JournalException("it is of a kind that this build does not know");
        }
    }

    /// <summary>Sets the time until which an entry lives.</summary>
    public void SetUntil(string key, long until) => _entries[key].Value.Until = until;

    /// <summary>Adds a piece of a snapshot.</summary>
    public void Add(StateKept kept)
    {
        Version = kept.Begun.Version;
        foreach (var entry in kept.Entries)
            _entries.Add(entry.Key, _order.AddLast(entry));
        Values.AddRange(kept.Values);
        Elements.AddRange(kept.Elements);
        Number = kept.Number ?? Number;
        IsReal = kept.Type == 0 ? IsReal : kept.Type == 2;
    }

    /// <summary>The state in pieces; the first piece holds the fields that occur once.</summary>
    public IEnumerable<Change> ToChanges()
    {
        yield return Piece(first => first.Number = Number);
        foreach (var entries in Entries.Chunk(EntriesPerRecord))
            yield return Piece(piece => piece.Entries.AddRange(entries));
        foreach (var values in Values.Chunk(EntriesPerRecord))
            yield return Piece(piece => piece.Values.AddRange(values));
        foreach (var elements in Elements.Chunk(ElementsPerRecord))
            yield return Piece(piece => piece.Elements.AddRange(elements));
    }

    private Change Piece(Action<StateKept> fill)
    {
        var kept = new StateKept
        {
            Begun = new StateBegun(begun) { Version = Version },
            Type = IsReal switch { null => 0, false => 1, true => 2 },
        };
        fill(kept);
        return new Change { StateKept = kept };
    }

    private void Set(KeptEntry entry, ulong version)
    {
        entry.Version = version;
        // An entry that is set again keeps its place and, until a record changes it, its time to live.
        if (_entries.TryGetValue(entry.Key, out var node))
        {
            entry.Until = node.Value.Until;
            node.Value = entry;
        }
        else
        {
            entry.Until = long.MaxValue;
            _entries.Add(entry.Key, _order.AddLast(entry));
        }
    }

    /// <summary>Indices count from the start: the engine has resolved negative ones.</summary>
    private void Apply(V1.ListEdit edit)
    {
        switch (edit.EditCase)
        {
            case V1.ListEdit.EditOneofCase.Append:
                Values.Add(edit.Append);
                break;
            case V1.ListEdit.EditOneofCase.Extend:
                Values.AddRange(edit.Extend.Values);
                break;
            case V1.ListEdit.EditOneofCase.Insert:
                Values.Insert((int)edit.Insert.Index, edit.Insert.Value);
                break;
            case V1.ListEdit.EditOneofCase.Set:
                Values[(int)edit.Set.Index] = edit.Set.Value;
                break;
            case V1.ListEdit.EditOneofCase.Pop:
                Values.RemoveAt((int)edit.Pop);
                break;
            case V1.ListEdit.EditOneofCase.Clear:
                Values = [];
                break;
            case V1.ListEdit.EditOneofCase.Reverse:
                Values.Reverse();
                break;
            default:
                throw new JournalException("it is of a kind that this build does not know");
        }
    }

    private static ulong Bits(V1.Number number) =>
        number.NumberCase == V1.Number.NumberOneofCase.Real ? BitConverter.DoubleToUInt64Bits(number.Real) : (ulong)number.Integer;
}
