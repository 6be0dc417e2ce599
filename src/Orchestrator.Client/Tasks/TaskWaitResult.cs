namespace Orchestrator.Client.Tasks;

/// <summary>The result of a wait.</summary>
/// <param name="Done">Those that have ended, successfully or not.</param>
/// <param name="Pending">The others.</param>
public sealed record TaskWaitResult(IReadOnlyList<TaskHandle> Done, IReadOnlyList<TaskHandle> Pending);

/// <summary>Which tasks a wait is for.</summary>
public enum WaitCondition
{
    /// <summary>All have ended.</summary>
    All,

    /// <summary>One has ended.</summary>
    FirstCompleted,

    /// <summary>One has ended without success, or all have ended.</summary>
    FirstFailed,
}
