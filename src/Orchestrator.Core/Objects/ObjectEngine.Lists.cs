using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>Shared state: lists.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>
    /// A slice of a list: a <see cref="ListPage"/>, or an INVALID <see cref="ObjectError"/>. As with Python's slices, indices outside the
    /// list are ignored.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="start">Where to begin; negative counts from the end.</param>
    /// <param name="limit">The most to read; 0 reads to the end.</param>
    public ObjectOutcome ReadList(string name, long start, long limit)
    {
        if ((ObjectQuota.ValidateName(ObjectKind.List, name) ?? ValidateSlice(limit)) is { } wrong)
            return wrong;
        if (_lists.Find(name) is not { Exists: true } list)
            return new ListPage(0, 0, []);
        var (first, count) = Slice(start, limit, list.Count);
        return new ListPage(list.Version, list.Count, list.Slice((int)first, (int)count));
    }

    internal void OnUpdateList(UpdateList command)
    {
        var list = _lists.Find(command.List);
        var wrong = ValidateUpdate(command, ObjectKind.List, command.List, list);
        if (wrong is null && command.Edits.Count == 0)
            wrong = ObjectError.Invalid("edits", "an update must have at least one edit");
        if (wrong is not null)
        {
            Complete(command, wrong);
            return;
        }

        var isNew = list is null;
        list ??= (ListState)AddState(ObjectKind.List, command.List);
        var popped = new List<Content>();
        var done = new List<ListEdit>(command.Edits.Count);
        if (TryEdit(list, command.Edits, popped, done) is { } refused)
        {
            if (isNew)
                DropState(list);
            Complete(command, refused);
            return;
        }

        if (done.Count > 0)
            Begin(list, command);
        foreach (var edit in done)
            list.History.Add(new ListEdited(++list.Version, edit));
        Complete(command, new UpdateListOutcome(list.Version, list.Count, popped));
        DropIfVacant(list);
        if (done.Count > 0)
            Wake(list);
    }

    /// <summary>Applies the edits in order; if one fails, undoes the earlier ones, the last first.</summary>
    private ObjectError? TryEdit(ListState list, IReadOnlyList<ListEdit> edits, List<Content> popped, List<ListEdit> done)
    {
        var bytes = list.Bytes;
        var undo = new Stack<Action>(edits.Count);
        ObjectError? wrong = null;
        for (var i = 0; i < edits.Count && wrong is null; i++)
        {
            wrong = ValidateEdit(list, edits[i], i, out var edit);
            if (wrong is not null || IsEmpty(list, edit))
                continue;
            undo.Push(list.Apply(edit, popped));
            done.Add(edit);
        }

        if (wrong is null && list.Count > _options.State.MaxEntries)
            wrong = Limit(ObjectKind.List, $"{list} would have {list.Count} elements, and may have {_options.State.MaxEntries}");
        // The list and the total have grown by now.
        wrong ??= ValidateBytes(ObjectKind.List, list.Name, list.Bytes, list.Bytes) ?? ValidateGrowth(list, bytes);
        while (wrong is not null && undo.TryPop(out var step))
            step();
        return wrong;
    }

    private ObjectError? ValidateGrowth(StateObject item, long before)
    {
        if (item.Bytes <= before)
            return null;
        if (_stateBudget.Bytes > _options.State.MaxTotalBytes)
            return Limit(item.Kind, $"all shared state would take {_stateBudget.Bytes} bytes, and may take {_options.State.MaxTotalBytes}; delete some");
        return ValidateShare(item.Client, 0) ?? _kernel.ValidateCountedMemory(item.Bytes - before);
    }

    /// <summary>Edits that change nothing leave no trace.</summary>
    private static bool IsEmpty(ListState list, ListEdit edit) => edit.Operation switch
    {
        ListOperation.Extend => edit.Values.Count == 0,
        ListOperation.Clear => list.Count == 0,
        ListOperation.Reverse => list.Count < 2,
        _ => false,
    };

    private static ObjectError? ValidateEdit(ListState list, ListEdit edit, int number, out ListEdit resolved)
    {
        resolved = edit;
        if (edit.Operation is < ListOperation.Append or > ListOperation.Reverse)
            return ObjectError.Invalid($"edits[{number}]", $"edit {number} must be one of append, insert, set, pop, clear, reverse and extend");
        if (edit.Operation is not (ListOperation.Insert or ListOperation.Set or ListOperation.Pop))
            return null;
        var end = edit.Operation == ListOperation.Insert ? list.Count : list.Count - 1;
        if (!TryResolve(edit.Index, list.Count, end, out var index))
            return OutOfRange($"edits[{number}]", edit.Index, list, list.Count);
        resolved = edit with { Index = index };
        return null;
    }

    private static bool TryResolve(long asked, long length, long end, out long index)
    {
        index = asked < 0 ? asked + length : asked;
        return index >= 0 && index <= end;
    }

    private static ObjectError OutOfRange(string field, long index, StateObject item, long length) =>
        ObjectError.Invalid(field, $"the index {index} is out of range for {item} of length {length}: it must be {-length} to {length - 1}");

    private static ObjectError? ValidateSlice(long limit) =>
        limit < 0 ? ObjectError.Invalid("limit", $"the limit {limit} must be at least 1, or 0 to read to the end") : null;

    private static (long First, long Count) Slice(long start, long limit, long length)
    {
        var first = Math.Clamp(start < 0 ? start + length : start, 0, length);
        var rest = length - first;
        return (first, limit == 0 ? rest : Math.Min(limit, rest));
    }
}
