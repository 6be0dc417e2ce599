namespace Orchestrator.Core.TaskModel;

/// <summary>One attempt of one task.</summary>
public readonly record struct AttemptId(long TaskId, int Attempt);
