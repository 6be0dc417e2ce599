namespace Orchestrator.Worker;

/// <summary>The dependencies of lanes.</summary>
internal sealed record LaneServices(AttemptRunner Runner, IAttemptResultWriter ResultWriter, TimeProvider Time);
