using System.Globalization;

namespace Orchestrator.Core.State;

/// <summary>A 64-bit integer or a double. The two are never equal, even with the same numeric value.</summary>
public readonly record struct Number
{
    private readonly long _bits;

    private Number(long bits, bool isReal)
    {
        _bits = bits;
        IsReal = isReal;
    }

    /// <summary>Whether it is a double.</summary>
    public bool IsReal { get; }

    /// <summary>The integer; undefined for a double.</summary>
    public long Whole => _bits;

    /// <summary>The double; undefined for an integer.</summary>
    public double Real => BitConverter.Int64BitsToDouble(_bits);

    internal long Bits => _bits;

    internal string TypeName => IsReal ? "real" : "integer";

    /// <summary>An integer.</summary>
    public static Number Of(long number) => new(number, false);

    /// <summary>A double.</summary>
    public static Number Of(double number) => new(BitConverter.DoubleToInt64Bits(number), true);

    internal static Number Of(long bits, bool isReal) => new(bits, isReal);

    /// <inheritdoc/>
    public override string ToString() =>
        IsReal ? Real.ToString("R", CultureInfo.InvariantCulture) : Whole.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How a number changes.</summary>
public enum NumberOperation : byte
{
    /// <summary>To the operand.</summary>
    Set = 1,

    /// <summary>By the operand; overflow is an error.</summary>
    Add = 2,

    /// <summary>To the operand, if that is smaller.</summary>
    Min = 3,

    /// <summary>To the operand, if that is larger.</summary>
    Max = 4,

    /// <summary>To the operand, if the number equals the expected one.</summary>
    CompareAndSet = 5,
}

/// <summary>A change of a number.</summary>
/// <param name="Operation">How.</param>
/// <param name="Operand">With what.</param>
/// <param name="Expected">For compare-and-set: the number before; null expects that there is none.</param>
public readonly record struct NumberEdit(NumberOperation Operation, Number Operand, Number? Expected = null);
