namespace Orchestrator.Coordinator.Hosting;

/// <summary>One life of a coordinator: ids of tasks mean nothing to the next.</summary>
internal sealed class CoordinatorInstance
{
    /// <summary>Never the same twice.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N")[..12];
}
