namespace Orchestrator.Core.Tasks;

/// <summary>One attempt of one task.</summary>
public readonly record struct AttemptId(long TaskId, int Attempt);
