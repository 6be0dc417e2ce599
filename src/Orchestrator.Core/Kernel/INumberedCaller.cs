namespace Orchestrator.Core.Kernel;

/// <summary>
/// A caller that carries many commands, such as a stream. If two callers send the same command, the one with the higher number
/// gets its outcome.
/// </summary>
public interface INumberedCaller
{
    /// <summary>Higher than that of every caller opened before it.</summary>
    long Number { get; }
}
