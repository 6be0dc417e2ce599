using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>How a list changes.</summary>
public enum ListOperation : byte
{
    /// <summary>By one element at the end.</summary>
    Append = 1,

    /// <summary>By several elements at the end.</summary>
    Extend = 2,

    /// <summary>By one element before an index.</summary>
    Insert = 3,

    /// <summary>The element at an index.</summary>
    Set = 4,

    /// <summary>Removes the element at an index.</summary>
    Pop = 5,

    /// <summary>Removes all elements.</summary>
    Clear = 6,

    /// <summary>Reverses the order.</summary>
    Reverse = 7,
}

/// <summary>A change of a list.</summary>
/// <param name="Operation">How.</param>
public sealed record ListEdit(ListOperation Operation)
{
    /// <summary>For insert, set and pop; negative counts from the end. An insert may also name the length.</summary>
    public long Index { get; init; }

    /// <summary>For append, insert and set.</summary>
    public Content Value { get; init; }

    /// <summary>For extend.</summary>
    public IReadOnlyList<Content> Values { get; init; } = [];

    internal long Bytes => Value.Bytes + Values.Sum(value => (long)value.Bytes);
}

/// <summary>
/// Updates a list, which its first change creates. Errors: INVALID (an index out of range among them), STALE, LIMIT_EXCEEDED, SESSION_LOST;
/// nothing changes then.
/// </summary>
/// <param name="List">Its name.</param>
/// <param name="Edits">The changes, in order: a later one sees the earlier.</param>
public sealed record UpdateList(string List, IReadOnlyList<ListEdit> Edits) : StateUpdate
{
    internal override (string Field, int Bytes)? FindLarge(int limit)
    {
        for (var i = 0; i < Edits.Count; i++)
        {
            var edit = Edits[i];
            if (edit.Value.Bytes > limit)
                return ($"edits[{i}].{FieldOf(edit.Operation)}", edit.Value.Bytes);
            if (edit.Values.Count > 0 && FindLarge(limit, edit.Values, i) is { } large)
                return large;
        }

        return null;
    }

    private static (string Field, int Bytes)? FindLarge(int limit, IReadOnlyList<Content> values, int edit) =>
        FirstAbove(limit, values, static value => value.Bytes, (_, i) => $"edits[{edit}].extend.values[{i}]");

    private static string FieldOf(ListOperation operation) => operation switch
    {
        ListOperation.Insert => "insert.value",
        ListOperation.Set => "set.value",
        _ => "append",
    };

    internal override ObjectKind Primitive => ObjectKind.List;
}

/// <summary>A list was updated.</summary>
/// <param name="Version">Its version now.</param>
/// <param name="Count">Its length now.</param>
/// <param name="Popped">What was popped, in the order of the edits.</param>
public sealed record UpdateListOutcome(ulong Version, long Count, IReadOnlyList<Content> Popped) : ObjectOutcome
{
    /// <inheritdoc/>
    public override int Bytes => (int)Math.Min(int.MaxValue, Popped.Sum(value => (long)value.Bytes));
}

/// <summary>A slice of a list.</summary>
/// <param name="Version">The list's version; 0 where it does not exist, which reads as empty.</param>
/// <param name="Count">The list's length.</param>
/// <param name="Values">The slice.</param>
public sealed record ListPage(ulong Version, long Count, IReadOnlyList<Content> Values) : ObjectOutcome
{
    /// <inheritdoc/>
    public override int Bytes => (int)Math.Min(int.MaxValue, Values.Sum(value => (long)value.Bytes));
}
