namespace Orchestrator.Client.Tasks;

/// <summary>The result of a wait.</summary>
/// <param name="Done">Those that have ended, successfully or not.</param>
/// <param name="Pending">The others.</param>
public sealed record TaskWaitResult(IReadOnlyList<TaskHandle> Done, IReadOnlyList<TaskHandle> Pending);
