using Orchestrator.Core.Kernel;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>A watcher of one object of each kind, which sees only changes and, when it was too slow, a snapshot.</summary>
internal sealed class StateMirror(ObjectHarness harness)
{
    private readonly Dictionary<ObjectKind, ulong> _versions = [];

    public Dictionary<string, string> Dict { get; } = [];

    public List<string> List { get; } = [];

    public long? Value { get; private set; }

    public long[] Array { get; private set; } = [];

    /// <summary>Reads further changes, up to this many at a time.</summary>
    public void CatchUp(int most)
    {
        Read(ObjectKind.Dict, "d", most, TakeDict);
        Read(ObjectKind.List, "l", most, TakeList);
        Read(ObjectKind.Value, "v", most, TakeValue);
        Read(ObjectKind.Array, "a", most, TakeArray);
    }

    private void Read(ObjectKind kind, string name, int most, Func<ulong> snapshot)
    {
        var known = _versions.GetValueOrDefault(kind);
        var news = harness.View.ReadChanges(kind, name, known, most);
        if (!news.Exists)
            return;
        if (news.NeedsSnapshot)
        {
            _versions[kind] = snapshot();
            return;
        }

        var next = known;
        foreach (var change in news.Changes)
        {
            Assert.Equal(++next, change.Version);
            Follow(change);
        }

        Assert.Equal(next, news.ReadTo);
        _versions[kind] = next;
    }

    private void Follow(StateChange change)
    {
        switch (change)
        {
            case DictEntrySet set:
                Dict[set.Key] = (string)set.Value.Body;
                break;
            case DictEntryDeleted deleted:
                Assert.True(Dict.Remove(deleted.Key));
                break;
            case ListEdited { Edit: var edit }:
                Follow(edit);
                break;
            case ValueChanged value:
                Value = value.Current.Whole;
                break;
            case ArrayCreated created:
                Array = new long[created.Length];
                break;
            case ArrayElementChanged element:
                Array[element.Index] = element.Current.Whole;
                break;
        }
    }

    private void Follow(ListEdit edit)
    {
        switch (edit.Operation)
        {
            case ListOperation.Append:
                List.Add((string)edit.Value.Body);
                break;
            case ListOperation.Extend:
                List.AddRange(edit.Values.Select(value => (string)value.Body));
                break;
            case ListOperation.Insert:
                List.Insert((int)edit.Index, (string)edit.Value.Body);
                break;
            case ListOperation.Set:
                List[(int)edit.Index] = (string)edit.Value.Body;
                break;
            case ListOperation.Pop:
                List.RemoveAt((int)edit.Index);
                break;
            case ListOperation.Clear:
                List.Clear();
                break;
            default:
                List.Reverse();
                break;
        }
    }

    private ulong TakeDict()
    {
        var page = harness.Read();
        Dict.Clear();
        foreach (var entry in page.Entries)
            Dict.Add(entry.Key, (string)entry.Value!.Value.Body);
        return page.Version;
    }

    private ulong TakeList()
    {
        var page = (ListPage)harness.View.ReadList("l", 0, 0);
        List.Clear();
        List.AddRange(page.Values.Select(value => (string)value.Body));
        return page.Version;
    }

    private ulong TakeValue()
    {
        var reading = (ValueReading)harness.View.ReadValue("v");
        Value = reading.Current?.Whole;
        return reading.Version;
    }

    private ulong TakeArray()
    {
        var page = (ArrayPage)harness.View.ReadArray("a", 0, 0);
        Array = [.. page.Values.Select(number => number.Whole)];
        return page.Version;
    }
}
