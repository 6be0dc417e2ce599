namespace Orchestrator.Core.Journal;

/// <summary>How long something that was accepted survives, a promise that the host keeps; the numbers are those of <c>orchestrator.v1.Durability</c>.</summary>
public enum Durability : byte
{
    /// <summary>In memory.</summary>
    Memory = 1,

    /// <summary>Written before it is answered: survives the end of the process.</summary>
    Process = 2,

    /// <summary>Written and flushed before it is answered: survives the loss of power.</summary>
    Disk = 3,
}
