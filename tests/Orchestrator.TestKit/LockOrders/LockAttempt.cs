namespace Orchestrator.TestKit.LockOrders;

/// <summary>One acquisition of a lock: granted, or refused with a cycle.</summary>
public sealed record LockAttempt
{
    /// <summary>Whose.</summary>
    public required string Session { get; init; }

    /// <summary>Of what.</summary>
    public required string Lock { get; init; }

    /// <summary>Before the call.</summary>
    public required long Asked { get; init; }

    /// <summary>When the answer was there.</summary>
    public long Answered { get; set; }

    /// <summary>When the answer to its release was there.</summary>
    public long Released { get; set; }

    /// <summary>The cycle that it would have closed; null where it was granted.</summary>
    public IReadOnlyList<CycleEdge>? Cycle { get; set; }
}

/// <summary>An edge of a reported cycle.</summary>
/// <param name="Waiter">The session that waits.</param>
/// <param name="Target">Where, such as <c>locks/order-7</c>.</param>
/// <param name="Holder">The session that holds it, or stands ahead of the waiter in its line.</param>
public sealed record CycleEdge(string Waiter, string Target, string Holder);
