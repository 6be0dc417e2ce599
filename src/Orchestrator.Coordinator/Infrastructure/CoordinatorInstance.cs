namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>One run of a coordinator: task ids have no meaning to the next run.</summary>
internal sealed class CoordinatorInstance
{
    /// <summary>Unique for each run.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N")[..12];
}
