using Orchestrator.Core.State;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts the numbers of values and arrays, and their changes.</summary>
internal static class NumberMapper
{
    public static V1.Number? ToMessage(Number? number) => number is { } value ? ToMessage(value) : null;

    public static V1.Number ToMessage(Number number) =>
        number.IsReal ? new V1.Number { Real = number.Real } : new V1.Number { Integer = number.Whole };

    /// <summary>A change of a number.</summary>
    /// <param name="edit">The change.</param>
    /// <param name="field">Its field, for the error.</param>
    /// <exception cref="RequestValidationException">The edit is missing or has no operation.</exception>
    public static NumberEdit ToEdit(V1.NumberEdit? edit, string field) => edit?.EditCase switch
    {
        V1.NumberEdit.EditOneofCase.Set => new NumberEdit(NumberOperation.Set, ToNumber(edit.Set, $"{field}.set")),
        V1.NumberEdit.EditOneofCase.Add => new NumberEdit(NumberOperation.Add, ToNumber(edit.Add, $"{field}.add")),
        V1.NumberEdit.EditOneofCase.Min => new NumberEdit(NumberOperation.Min, ToNumber(edit.Min, $"{field}.min")),
        V1.NumberEdit.EditOneofCase.Max => new NumberEdit(NumberOperation.Max, ToNumber(edit.Max, $"{field}.max")),
        V1.NumberEdit.EditOneofCase.CompareAndSet => new NumberEdit(
            NumberOperation.CompareAndSet,
            ToNumber(edit.CompareAndSet.Value, $"{field}.compare_and_set.value"),
            edit.CompareAndSet.Expected is { } expected ? ToNumber(expected, $"{field}.compare_and_set.expected") : null),
        _ => throw RequestValidationException.Invalid(field, $"{field} must be one of set, add, min, max and compare_and_set"),
    };

    /// <summary>A number.</summary>
    /// <param name="number">The number.</param>
    /// <param name="field">Its field, for the error.</param>
    /// <exception cref="RequestValidationException">The number is missing.</exception>
    public static Number ToNumber(V1.Number? number, string field) => number?.NumberCase switch
    {
        V1.Number.NumberOneofCase.Integer => Number.Of(number.Integer),
        V1.Number.NumberOneofCase.Real => Number.Of(number.Real),
        _ => throw RequestValidationException.Invalid(field, $"{field} must be a number: an integer or a real"),
    };
}
