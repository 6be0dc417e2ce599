namespace Orchestrator.Core.Tasks;

/// <summary>The values of a flight recorder's bytes (<c>worker.proto</c>).</summary>
public static class FlightRecord
{
    /// <summary>Assigned; user code has not started.</summary>
    public const byte Assigned = 0;

    /// <summary>User code has started.</summary>
    public const byte Started = 1;

    /// <summary>User code has ended.</summary>
    public const byte Ended = 2;
}
