using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>A list of values.</summary>
internal sealed class ListState(string name, StateOptions options, StateBudget budget) : StateObject(ObjectKind.List, name, options, budget)
{
    private List<Content> _values = [];

    public override long Count => _values.Count;

    public IReadOnlyList<Content> Slice(int start, int count) => _values.GetRange(start, count);

    /// <summary>Applies an edit whose index is in range and counts from the start.</summary>
    /// <param name="edit">The edit.</param>
    /// <param name="popped">Receives popped elements.</param>
    /// <returns>How to undo it.</returns>
    public Action Apply(ListEdit edit, List<Content> popped)
    {
        var index = (int)edit.Index;
        switch (edit.Operation)
        {
            case ListOperation.Append:
                _values.Add(edit.Value);
                AddBytes(edit.Value.Bytes);
                return () => Remove(_values.Count - 1);
            case ListOperation.Extend:
                var (before, added) = (_values.Count, edit.Values.Sum(value => (long)value.Bytes));
                _values.AddRange(edit.Values);
                AddBytes(added);
                return () =>
                {
                    _values.RemoveRange(before, _values.Count - before);
                    AddBytes(-added);
                };
            case ListOperation.Insert:
                Insert(index, edit.Value);
                return () => Remove(index);
            case ListOperation.Set:
                var old = Set(index, edit.Value);
                return () => Set(index, old);
            case ListOperation.Pop:
                var value = Remove(index);
                popped.Add(value);
                return () => Insert(index, value);
            case ListOperation.Clear:
                var (values, bytes) = (_values, Bytes);
                _values = [];
                AddBytes(-bytes);
                return () =>
                {
                    _values = values;
                    AddBytes(bytes);
                };
            default:
                _values.Reverse();
                return _values.Reverse;
        }
    }

    public override void Clear(IPrimitiveContext context)
    {
        _values = [];
        base.Clear(context);
    }

    /// <summary>Restores the elements of an earlier process.</summary>
    public void Restore(IReadOnlyList<Content> values)
    {
        _values = [.. values];
        AddBytes(values.Sum(value => (long)value.Bytes));
    }

    private void Insert(int index, Content value)
    {
        _values.Insert(index, value);
        AddBytes(value.Bytes);
    }

    private Content Set(int index, Content value)
    {
        var old = _values[index];
        _values[index] = value;
        AddBytes(value.Bytes - old.Bytes);
        return old;
    }

    private Content Remove(int index)
    {
        var value = _values[index];
        _values.RemoveAt(index);
        AddBytes(-value.Bytes);
        return value;
    }
}
