using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>Updates and reads of values and arrays.</summary>
internal sealed class Numbers(IPrimitiveContext context, StateOptions options, StateTable table)
{
    /// <summary>A number: a <see cref="ValueReading"/>, or an INVALID <see cref="ObjectError"/>.</summary>
    /// <param name="name">Its name.</param>
    public ObjectOutcome ReadValue(string name)
    {
        if (ObjectQuota.ValidateName(ObjectKind.Value, name) is { } wrong)
            return wrong;
        var value = table.Values.Find(name);
        return new ValueReading(value?.Version ?? 0, value?.Current);
    }

    /// <summary>
    /// A slice of an array: an <see cref="ArrayPage"/>, or an INVALID <see cref="ObjectError"/>. Indices outside the array are
    /// ignored.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="start">Where to begin; negative counts from the end.</param>
    /// <param name="limit">The most to read; 0 reads to the end.</param>
    public ObjectOutcome ReadArray(string name, long start, long limit)
    {
        if ((ObjectQuota.ValidateName(ObjectKind.Array, name) ?? ListIndices.ValidateSlice(limit)) is { } wrong)
            return wrong;
        if (table.Arrays.Find(name) is not { Exists: true } array)
            return new ArrayPage(0, 0, []);
        var (first, count) = ListIndices.Slice(start, limit, array.Count);
        var numbers = new Number[count];
        for (var i = 0L; i < count; i++)
            numbers[i] = array[first + i];
        return new ArrayPage(array.Version, array.Count, numbers);
    }

    public void Update(UpdateValue command)
    {
        var value = table.Values.Find(command.Value);
        var before = value?.Current;
        Number? after = null;
        var changed = false;
        var wrong = table.ValidateUpdate(command, ObjectKind.Value, command.Value, value)
            ?? NumberMath.Apply(before, command.Edit, $"value \"{command.Value}\"", "edit", out after, out changed);
        if (wrong is not null)
        {
            context.Complete(command, wrong);
            return;
        }

        if (changed)
        {
            value ??= (ValueState)table.Add(ObjectKind.Value, command.Value);
            table.Begin(value, command);
            value.Current = after;
            value.History.Add(new ValueChanged(++value.Version, after!.Value));
        }

        context.Complete(command, new UpdateValueOutcome(value?.Version ?? 0, before, after, changed));
        if (changed)
            table.Wake(value!);
    }

    public void Update(UpdateArray command)
    {
        var array = table.Arrays.Find(command.Array);
        if ((table.ValidateUpdate(command, ObjectKind.Array, command.Array, array) ?? ValidateLength(command, array)) is { } wrong)
        {
            context.Complete(command, wrong);
            return;
        }

        var isNew = array is not { Exists: true };
        array ??= (ArrayState)table.Add(ObjectKind.Array, command.Array);
        if (isNew)
            array.Allocate(command.Length);
        var changes = new List<ArrayElementChanged>(command.Edits.Count);
        var type = array.IsReal;
        if (TryEdit(array, command.Edits, changes) is { } refused)
        {
            if (isNew)
                array.Clear(context);
            table.DropIfVacant(array);
            context.Complete(command, refused);
            return;
        }

        table.Begin(array, command);
        if (isNew)
            array.History.Add(new ArrayCreated(++array.Version, command.Length));
        foreach (var change in changes)
            array.History.Add(change with { Version = ++array.Version });
        if (array.IsDurable && type != array.IsReal)
            context.Record(new ArrayTyped(array.Name, array.IsReal!.Value), array.Durability);
        context.Complete(command, new UpdateArrayOutcome(array.Version, ReadBack(array, command.Edits)));
        if (isNew || changes.Count > 0)
            table.Wake(array);
    }

    /// <summary>Applies the edits in order; if one fails, restores the earlier values, the last first.</summary>
    private static ObjectError? TryEdit(ArrayState array, IReadOnlyList<ArrayEdit> edits, List<ArrayElementChanged> changes)
    {
        var type = array.IsReal;
        var undo = new Stack<(long Index, Number Before)>(edits.Count);
        ObjectError? wrong = null;
        for (var i = 0; i < edits.Count && wrong is null; i++)
            wrong = Edit(array, edits[i], i, changes, undo);
        if (wrong is null)
            return null;
        while (undo.TryPop(out var step))
            array[step.Index] = step.Before;
        array.IsReal = type;
        return wrong;
    }

    private static ObjectError? Edit(
        ArrayState array, ArrayEdit edit, int number, List<ArrayElementChanged> changes, Stack<(long Index, Number Before)> undo)
    {
        var field = $"edits[{number}]";
        if (!ListIndices.TryResolve(edit.Index, array.Count, array.Count - 1, out var index))
            return ListIndices.OutOfRange(field, edit.Index, array, array.Count);
        var operand = edit.Edit.Operand;
        // A set may change the type of a single value; all elements of an array have one type.
        if (array.IsReal is { } isReal && isReal != operand.IsReal)
        {
            return ObjectError.Mismatch(
                field, $"{array} holds {array[0].TypeName} numbers, and edit {number} is with the {operand.TypeName} {operand}");
        }

        var before = Number.Of(array[index].Bits, operand.IsReal);
        if (NumberMath.Apply(before, edit.Edit, $"{array}, index {index},", field, out var after, out var changed) is { } wrong)
            return wrong;
        array.IsReal = operand.IsReal;
        if (!changed)
            return null;
        undo.Push((index, before));
        array[index] = after!.Value;
        changes.Add(new ArrayElementChanged(0, index, after.Value));
        return null;
    }

    private static Number[] ReadBack(ArrayState array, IReadOnlyList<ArrayEdit> edits)
    {
        var after = new Number[edits.Count];
        for (var i = 0; i < after.Length; i++)
            after[i] = array[edits[i].Index < 0 ? edits[i].Index + array.Count : edits[i].Index];
        return after;
    }

    private ObjectError? ValidateLength(UpdateArray command, ArrayState? array)
    {
        var limit = options.MaxArrayLength;
        if (array is { Exists: true })
        {
            return command.Length == 0 || command.Length == array.Count
                ? null
                : ObjectError.Mismatch("length", $"{array} has the length {array.Count}, not {command.Length}, and keeps it");
        }

        if (command.Length < 1 || command.Length > limit)
            return ObjectError.Invalid("length", $"the length {command.Length} of the new array \"{command.Array}\" must be 1 to {limit}");
        return table.ValidateBytes(ObjectKind.Array, command.Array, 0, command.Length * sizeof(long));
    }
}
