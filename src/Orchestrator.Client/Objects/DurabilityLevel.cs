namespace Orchestrator.Client.Objects;

/// <summary>What a task or an object survives.</summary>
public enum DurabilityLevel
{
    /// <summary>The default: it is lost with the coordinator's process.</summary>
    Default = 0,

    /// <summary>It is lost with the coordinator's process.</summary>
    Memory = 1,

    /// <summary>It survives the coordinator's process: written to the operating system before it is confirmed.</summary>
    Process = 2,

    /// <summary>It survives the machine's: written to the disk before it is confirmed.</summary>
    Disk = 3,
}
