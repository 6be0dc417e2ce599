using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>Applies edits to numbers.</summary>
internal static class NumberMath
{
    /// <summary>
    /// The number after the edit; the same one if nothing changes. A missing number counts as 0 for an add and for a compare with 0, and
    /// takes the operand of a minimum or maximum. A number keeps its type, except when it is set.
    /// </summary>
    /// <param name="before">The number now; null where there is none.</param>
    /// <param name="edit">What to do.</param>
    /// <param name="what">The owner of the number, for messages.</param>
    /// <param name="field">The request field.</param>
    /// <param name="after">The resulting number; null if there still is none.</param>
    /// <param name="changed">Whether the edit took effect; a set always does.</param>
    /// <returns>Why it cannot be done; null when it was.</returns>
    public static ObjectError? Apply(Number? before, NumberEdit edit, string what, string field, out Number? after, out bool changed)
    {
        after = before;
        changed = false;
        if (ValidateEdit(before, edit, what, field) is { } wrong)
            return wrong;
        var operand = edit.Operand;
        switch (edit.Operation)
        {
            case NumberOperation.Set:
                after = operand;
                changed = true;
                return null;
            case NumberOperation.Add:
                return Add(before, operand, what, field, ref after, ref changed);
            case NumberOperation.CompareAndSet:
                changed = before is { } now ? edit.Expected is { } expected && Compare(expected, now) == 0 : edit.Expected is null;
                break;
            default:
                changed = before is not { } old
                    || (edit.Operation == NumberOperation.Min ? Compare(operand, old) < 0 : Compare(operand, old) > 0);
                break;
        }

        if (changed)
            after = operand;
        return null;
    }

    private static ObjectError? Add(Number? before, Number operand, string what, string field, ref Number? after, ref bool changed)
    {
        var old = before ?? Number.Of(0, operand.IsReal);
        if (operand.IsReal)
        {
            var sum = old.Real + operand.Real;
            if (!double.IsFinite(sum))
                return ObjectError.Invalid(
                    field, $"adding {operand} to the {old} of {what} goes beyond the range of a double, ±{double.MaxValue:R}");
            after = Number.Of(sum);
        }
        else
        {
            var sum = unchecked(old.Whole + operand.Whole);
            // The sign of a sum that has overflowed differs from that of both summands.
            if (((old.Whole ^ sum) & (operand.Whole ^ sum)) < 0)
                return ObjectError.Invalid(
                    field, $"adding {operand} to the {old} of {what} goes beyond the range of a 64-bit integer, {long.MinValue} to " +
                        $"{long.MaxValue}");
            after = Number.Of(sum);
        }

        changed = true;
        return null;
    }

    private static int Compare(Number left, Number right) =>
        left.IsReal ? left.Real.CompareTo(right.Real) : left.Whole.CompareTo(right.Whole);

    private static ObjectError? ValidateEdit(Number? before, NumberEdit edit, string what, string field)
    {
        if (edit.Operation is < NumberOperation.Set or > NumberOperation.CompareAndSet)
            return ObjectError.Invalid(field, "the edit must be one of set, add, min, max and compare_and_set");
        if (ValidateReal(edit.Operand, field) is { } operand)
            return operand;
        if (edit.Expected is { } expected)
        {
            if (ValidateReal(expected, field) is { } real)
                return real;
            if (expected.IsReal != edit.Operand.IsReal)
                return OtherType(
                    field, $"expects the {expected.TypeName} {expected} and would set the {edit.Operand.TypeName} {edit.Operand}: both " +
                        "must be of one type");
        }

        if (edit.Operation == NumberOperation.Set || before is not { } now || now.IsReal == edit.Operand.IsReal)
            return null;
        return OtherType(
            field, $"{what} holds the {now.TypeName} {now}, and the edit is with the {edit.Operand.TypeName} {edit.Operand}: use a " +
                $"{now.TypeName}");
    }

    private static ObjectError? ValidateReal(Number number, string field) =>
        number.IsReal && !double.IsFinite(number.Real) ? ObjectError.Invalid(field, $"the number {number} must be finite") : null;

    private static ObjectError OtherType(string field, string message) => new(ObjectErrorReason.KindMismatch, message) { Field = field };
}
