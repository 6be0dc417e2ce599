using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>One number.</summary>
internal sealed class ValueState(string name, StateOptions options, StateBudget budget)
    : StateObject(ObjectKind.Value, name, options, budget)
{
    public Number? Current { get; set; }

    public override long Count => Current is null ? 0 : 1;
}

/// <summary>A fixed number of numbers of one type, which the first edit sets.</summary>
internal sealed class ArrayState(string name, StateOptions options, StateBudget budget)
    : StateObject(ObjectKind.Array, name, options, budget)
{
    private long[] _bits = [];

    public override long Count => _bits.Length;

    /// <summary>Whether it holds doubles; null while it has no type, and is all zeros.</summary>
    public bool? IsReal { get; set; }

    /// <summary>Zero has the same bits as an integer and as a double.</summary>
    public Number this[long index]
    {
        get => Number.Of(_bits[index], IsReal ?? false);
        set => _bits[index] = value.Bits;
    }

    public void Allocate(long length)
    {
        _bits = new long[length];
        AddBytes(length * sizeof(long));
    }

    public override void Clear(IPrimitiveContext context)
    {
        _bits = [];
        base.Clear(context);
    }
}
