using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>Indices and slices as in Python: a negative index counts from the end.</summary>
internal static class ListIndices
{
    public static bool TryResolve(long asked, long length, long end, out long index)
    {
        index = asked < 0 ? asked + length : asked;
        return index >= 0 && index <= end;
    }

    public static ObjectError OutOfRange(string field, long index, StateObject item, long length) =>
        ObjectError.Invalid(
            field, $"the index {index} is out of range for {item} of length {length}: it must be {-length} to {length - 1}");

    public static ObjectError? ValidateSlice(long limit) =>
        limit < 0 ? ObjectError.Invalid("limit", $"the limit {limit} must be at least 1, or 0 to read to the end") : null;

    public static (long First, long Count) Slice(long start, long limit, long length)
    {
        var first = Math.Clamp(start < 0 ? start + length : start, 0, length);
        var rest = length - first;
        return (first, limit == 0 ? rest : Math.Min(limit, rest));
    }
}
