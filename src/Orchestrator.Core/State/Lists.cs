using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>Updates and reads of lists.</summary>
internal sealed class Lists(IPrimitiveContext context, StateOptions options, StateTable table)
{
    /// <summary>
    /// A slice of a list: a <see cref="ListPage"/>, or an INVALID <see cref="ObjectError"/>. As with Python's slices, indices outside the
    /// list are ignored.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="start">Where to begin; negative counts from the end.</param>
    /// <param name="limit">The most to read; 0 reads to the end.</param>
    public ObjectOutcome Read(string name, long start, long limit)
    {
        if ((ObjectQuota.ValidateName(ObjectKind.List, name) ?? ListIndices.ValidateSlice(limit)) is { } wrong)
            return wrong;
        if (table.Lists.Find(name) is not { Exists: true } list)
            return new ListPage(0, 0, []);
        var (first, count) = ListIndices.Slice(start, limit, list.Count);
        return new ListPage(list.Version, list.Count, list.Slice((int)first, (int)count));
    }

    public void Update(UpdateList command)
    {
        var list = table.Lists.Find(command.List);
        var wrong = table.ValidateUpdate(command, ObjectKind.List, command.List, list);
        if (wrong is null && command.Edits.Count == 0)
            wrong = ObjectError.Invalid("edits", "an update must have at least one edit");
        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        var isNew = list is null;
        list ??= (ListState)table.Add(ObjectKind.List, command.List);
        var popped = new List<Content>();
        var done = new List<ListEdit>(command.Edits.Count);
        if (TryEdit(list, command.Edits, popped, done) is { } refused)
        {
            if (isNew)
                table.Drop(list);
            context.Complete(command, refused);
            return;
        }

        if (done.Count > 0)
            table.Begin(list, command);
        foreach (var edit in done)
            list.History.Add(new ListEdited(++list.Version, edit));
        context.Complete(command, new UpdateListOutcome(list.Version, list.Count, popped));
        table.DropIfVacant(list);
        if (done.Count > 0)
            table.Wake(list);
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

        if (wrong is null && list.Count > options.MaxEntries)
            wrong = StateTable.Limit(ObjectKind.List, $"{list} would have {list.Count} elements, and may have {options.MaxEntries}");
        // The list and the total have grown by now.
        wrong ??= table.ValidateBytes(ObjectKind.List, list.Name, list.Bytes, list.Bytes) ?? table.ValidateGrowth(list, bytes);
        while (wrong is not null && undo.TryPop(out var step))
            step();
        return wrong;
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
        {
            return ObjectError.Invalid(
                $"edits[{number}]", $"edit {number} must be one of append, insert, set, pop, clear, reverse and extend");
        }

        if (edit.Operation is not (ListOperation.Insert or ListOperation.Set or ListOperation.Pop))
            return null;
        var end = edit.Operation == ListOperation.Insert ? list.Count : list.Count - 1;
        if (!ListIndices.TryResolve(edit.Index, list.Count, end, out var index))
            return ListIndices.OutOfRange($"edits[{number}]", edit.Index, list, list.Count);
        resolved = edit with { Index = index };
        return null;
    }
}
