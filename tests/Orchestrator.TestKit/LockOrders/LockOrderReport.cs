namespace Orchestrator.TestKit.LockOrders;

/// <summary>The results of the clients of one process.</summary>
/// <param name="Finished">How many orders had all their locks.</param>
/// <param name="Attempts">Every acquisition.</param>
public sealed record LockOrderReport(int Finished, IReadOnlyList<LockAttempt> Attempts);
