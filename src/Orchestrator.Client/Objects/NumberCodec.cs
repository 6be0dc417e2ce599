using System.Numerics;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>Converts numbers to those of the contract, which are 64-bit integers or doubles, and back.</summary>
internal static class NumberCodec<T>
    where T : struct, INumber<T>
{
    // Not a field: the compiler sees a constant for each type.
    private static bool IsReal => typeof(T) == typeof(double) || typeof(T) == typeof(float);

    /// <exception cref="NotSupportedException">The coordinator has no such numbers.</exception>
    public static void EnsureSupported()
    {
        if (!IsReal && typeof(T) != typeof(long) && typeof(T) != typeof(int))
            throw new NotSupportedException($"The shared numbers are long, int, double or float, not {typeof(T).Name}.");
    }

    public static Number Encode(T value) =>
        IsReal ? new Number { Real = double.CreateChecked(value) } : new Number { Integer = long.CreateChecked(value) };

    /// <exception cref="OverflowException">The number does not fit.</exception>
    public static T Decode(Number number) => number.NumberCase == Number.NumberOneofCase.Real
        ? T.CreateChecked(number.Real)
        : T.CreateChecked(number.Integer);
}
