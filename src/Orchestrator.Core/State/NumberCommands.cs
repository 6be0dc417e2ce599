using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>
/// Updates a number, which its first change creates. Errors: INVALID (overflow among them), KIND_MISMATCH (integer and real), STALE,
/// LIMIT_EXCEEDED, SESSION_LOST; nothing changes then.
/// </summary>
/// <param name="Value">Its name.</param>
/// <param name="Edit">The change.</param>
public sealed record UpdateValue(string Value, NumberEdit Edit) : StateUpdate
{
    internal override ObjectKind Primitive => ObjectKind.Value;
}

/// <summary>A number was updated.</summary>
/// <param name="Version">Its version now; 0 where it still does not exist.</param>
/// <param name="Before">The number before; null where there was none.</param>
/// <param name="After">The number now; null where there is none.</param>
/// <param name="Changed">Whether the edit took effect: false for a minimum, maximum or compare-and-set that left the number as it
/// was.</param>
public sealed record UpdateValueOutcome(ulong Version, Number? Before, Number? After, bool Changed) : ObjectOutcome;

/// <summary>A number as it is.</summary>
/// <param name="Version">Its version; 0 where it does not exist.</param>
/// <param name="Current">The number; null where it does not exist.</param>
public sealed record ValueReading(ulong Version, Number? Current) : ObjectOutcome;

/// <summary>A change of an array's element.</summary>
/// <param name="Index">Which; negative counts from the end.</param>
/// <param name="Edit">The change. A compare-and-set that does not find the expected value changes nothing, and the other edits
/// proceed.</param>
public readonly record struct ArrayEdit(long Index, NumberEdit Edit);

/// <summary>
/// Updates an array; the first update sets its length, and its first edit the type of its numbers. Errors: INVALID, KIND_MISMATCH (another
/// length, or integer and real), STALE, LIMIT_EXCEEDED, SESSION_LOST; nothing changes then.
/// </summary>
/// <param name="Array">Its name.</param>
/// <param name="Length">Its length, which creates it where it does not exist; 0 where it does.</param>
/// <param name="Edits">The changes, in order: a later one sees the earlier.</param>
public sealed record UpdateArray(string Array, long Length, IReadOnlyList<ArrayEdit> Edits) : StateUpdate
{
    internal override ObjectKind Primitive => ObjectKind.Array;
}

/// <summary>An array was updated.</summary>
/// <param name="Version">Its version now.</param>
/// <param name="After">The elements after all edits, in the order of the edits.</param>
public sealed record UpdateArrayOutcome(ulong Version, IReadOnlyList<Number> After) : ObjectOutcome;

/// <summary>A slice of an array.</summary>
/// <param name="Version">The array's version; 0 where it does not exist, which reads as empty.</param>
/// <param name="Length">The array's length.</param>
/// <param name="Values">The slice; integer zeros while it has no type.</param>
public sealed record ArrayPage(ulong Version, long Length, IReadOnlyList<Number> Values) : ObjectOutcome
{
    /// <inheritdoc/>
    public override int Bytes => (int)Math.Min(int.MaxValue, Values.Count * (long)sizeof(double));
}
