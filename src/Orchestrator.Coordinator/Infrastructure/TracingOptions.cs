namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>Of which tasks spans are made, while something listens to the coordinator's source of spans.</summary>
public sealed record TracingOptions
{
    /// <summary>
    /// The share of tasks without a trace context of their own that are traced, from 0, the default, to 1. Those with one are traced if its
    /// flag says so.
    /// </summary>
    public double Ratio { get; init; }

    /// <summary>
    /// Tasks that took longer from acceptance to end are traced in any case, as are those that failed, were lost or needed a second
    /// attempt: up to 100 a second in all.
    /// </summary>
    public TimeSpan SlowerThan { get; init; } = TimeSpan.FromSeconds(10);
}
