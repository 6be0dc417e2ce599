namespace Orchestrator.TestKit.LockOrders;

/// <summary>One acquisition of a lock: granted, or refused with a cycle.</summary>
public sealed record LockAttempt
{
    /// <summary>The session.</summary>
    public required string Session { get; init; }

    /// <summary>The lock.</summary>
    public required string Lock { get; init; }

    /// <summary>The time before the call.</summary>
    public required long Asked { get; init; }

    /// <summary>The time of the response.</summary>
    public long Answered { get; set; }

    /// <summary>The time of the response to its release.</summary>
    public long Released { get; set; }

    /// <summary>The cycle that it would have closed; null where it was granted.</summary>
    public IReadOnlyList<CycleEdge>? Cycle { get; set; }
}

/// <summary>An edge of a reported cycle.</summary>
/// <param name="Waiter">The session that waits.</param>
/// <param name="Target">The resource, such as <c>locks/order-7</c>.</param>
/// <param name="Holder">The session that holds it, or is ahead of the waiter in its queue.</param>
public sealed record CycleEdge(string Waiter, string Target, string Holder);
