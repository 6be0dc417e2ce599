namespace Orchestrator.Core.Kernel;

/// <summary>
/// The result of one command: the content of the operation's response, or an <see cref="ObjectError"/>. Immutable, and shared where it
/// carries no data.
/// </summary>
public abstract record ObjectOutcome
{
    /// <summary>The payload bytes that it keeps alive, for the accounting of kept outcomes.</summary>
    public virtual int Bytes => 0;

    /// <summary>
    /// Whether the command did what it is for. False for an error, and for a wait that ended otherwise, as by its timeout: it took nothing,
    /// so what builds on it must not run.
    /// </summary>
    public virtual bool IsSuccess => true;
}

/// <summary>It was done; there is nothing to report.</summary>
public sealed record Done : ObjectOutcome
{
    private Done()
    {
    }

    /// <summary>The only instance.</summary>
    public static Done Instance { get; } = new();
}

/// <summary>How a wait that did not fail ended; the numbers are those of <c>orchestrator.v1.WaitStatus</c>.</summary>
public enum WaitStatus : byte
{
    /// <summary>It was served.</summary>
    Ok = 1,

    /// <summary>Its timeout passed first. A result, not an error.</summary>
    Timeout = 2,

    /// <summary>The awaited object was shut down.</summary>
    ShutDown = 3,
}
