namespace Orchestrator.Worker.Payloads;

/// <summary>
/// An output or a partial output exceeds <see cref="Tasks.TaskContext.MaxPayloadBytes"/>; fails the task with LIMIT_EXCEEDED.
/// </summary>
public sealed class PayloadTooLargeException : Exception
{
    /// <summary>The error reads <c>WHAT has SIZE bytes; the limit is LIMIT bytes</c>.</summary>
    /// <param name="what">What is too large.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="limit">The limit in bytes.</param>
    public PayloadTooLargeException(string what, long size, long limit)
        : base($"{what} has {size} bytes; the limit is {limit} bytes")
    {
    }
}
