namespace Orchestrator.Core.TaskModel;

/// <summary>
/// Tasks that wait for permits of one rate limiter, as the host sees them: it requests one permit at a time for all of them. The tasks
/// themselves belong to the scheduling.
/// </summary>
public abstract class PermitQueue
{
    private protected PermitQueue(string rateLimiter) => RateLimiter = rateLimiter;

    /// <summary>The rate limiter's name.</summary>
    public string RateLimiter { get; }

    /// <summary>The host's side of it; opaque to the engine.</summary>
    public object? Source { get; set; }
}
