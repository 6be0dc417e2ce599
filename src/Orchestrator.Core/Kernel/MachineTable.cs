namespace Orchestrator.Core.Kernel;

/// <summary>The machines by the kind of their objects.</summary>
internal sealed class MachineTable
{
    private readonly PrimitiveMachine[] _machines = new PrimitiveMachine[ObjectKinds.Count];

    public PrimitiveMachine this[ObjectKind kind]
    {
        get => _machines[(int)kind];
        set => _machines[(int)kind] = value;
    }

    /// <summary>The machine of an object.</summary>
    public PrimitiveMachine Of(NamedObject item) => _machines[(int)item.Kind];

    /// <summary>The machine that executes a command.</summary>
    public PrimitiveMachine Of(ObjectCommand command) => _machines[(int)command.Primitive];
}
