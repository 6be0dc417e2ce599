namespace Orchestrator.Core.Objects;

/// <summary>
/// What became of one command: what the response of the operation carries, or an <see cref="ObjectError"/>. Immutable, and shared
/// where it says nothing of its own.
/// </summary>
public abstract record ObjectOutcome
{
    /// <summary>The payload bytes that it keeps alive, for those who keep outcomes.</summary>
    public virtual int Bytes => 0;
}

/// <summary>It was done, and there is nothing to tell.</summary>
public sealed record Done : ObjectOutcome
{
    private Done()
    {
    }

    /// <summary>The only instance.</summary>
    public static Done Instance { get; } = new();
}

/// <summary>How a wait ended that did not fail; the numbers are those of <c>orchestrator.v1.WaitStatus</c>.</summary>
public enum WaitStatus : byte
{
    /// <summary>It got what it waited for.</summary>
    Ok = 1,

    /// <summary>Its timeout passed first. A result, not an error.</summary>
    Timeout = 2,

    /// <summary>What it waited for was shut down.</summary>
    ShutDown = 3,
}
