using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Spans;

/// <summary>A lane of one incarnation of a worker.</summary>
/// <param name="Number">Its number in spans.</param>
/// <param name="Worker">Name and incarnation of the worker, such as <c>worker-1#3</c>; empty in process.</param>
/// <param name="Placement">The worker's placement.</param>
/// <param name="Kind">The kind of work; in process, where all kinds share a lane, <see cref="WorkKind.Cpu"/>.</param>
public sealed record SpanLane(int Number, string Worker, PlacementPolicy Placement, WorkKind Kind);
