namespace Orchestrator.Core.Common;

/// <summary>What accepted data survives, a guarantee of the host; the numbers are those of <c>orchestrator.v1.Durability</c>.</summary>
public enum Durability : byte
{
    /// <summary>In memory.</summary>
    Memory = 1,

    /// <summary>Written before the response: survives the end of the process.</summary>
    Process = 2,

    /// <summary>Written and flushed before the response: survives the loss of power.</summary>
    Disk = 3,
}
