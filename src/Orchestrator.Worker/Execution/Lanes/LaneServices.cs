using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution.Lanes;

/// <summary>The dependencies of lanes.</summary>
internal sealed record LaneServices(AttemptRunner Runner, IAttemptResultWriter ResultWriter, TimeProvider Time);
