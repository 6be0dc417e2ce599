namespace Orchestrator.Core.TaskModel;

/// <summary>Something that happened to tasks and that an operator should know of.</summary>
/// <param name="Count">How often.</param>
/// <param name="Last">What happened last; null if it never did.</param>
public readonly record struct Incident(long Count, string? Last);
