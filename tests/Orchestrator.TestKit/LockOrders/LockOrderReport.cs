namespace Orchestrator.TestKit.LockOrders;

/// <summary>What the clients of one process did.</summary>
/// <param name="Finished">How many orders had all their locks.</param>
/// <param name="Attempts">Every acquisition.</param>
public sealed record LockOrderReport(int Finished, IReadOnlyList<LockAttempt> Attempts);
