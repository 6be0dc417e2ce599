namespace Orchestrator.Worker;

/// <summary>Placeholder replaced by the host.</summary>
public sealed class WorkerBuilder : ITaskMap
{
    /// <inheritdoc/>
    public TaskHandlerRegistry Tasks { get; } = new();
}
