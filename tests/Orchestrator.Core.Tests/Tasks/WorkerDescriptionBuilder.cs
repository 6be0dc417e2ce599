using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>For the few tests that need a worker with an unusual shape.</summary>
internal sealed class WorkerDescriptionBuilder(string name)
{
    public int RecorderSlots { get; init; } = 2_048;

    public string[] CpuHandlers { get; init; } = ["cpu"];

    public string Group { get; init; } = "";

    public bool RecordsFlight { get; init; } = true;

    /// <summary>Its offers, when they are not the above and <c>io</c>.</summary>
    public HandlerOffer[]? Offers { get; init; }

    public PlacementPolicy Placement { get; init; } = PlacementPolicy.WorkerProcess;

    public WorkerNode Join(EngineHarness harness)
    {
        harness.Apply(new TaskCommand.WorkerJoined(
            new WorkerDescription(name, Placement, 1, 10, 2, RecorderSlots, RecordsFlight) { Group = Group },
            Offers ?? [.. CpuHandlers.Select(handler => new HandlerOffer(handler, WorkKind.Cpu, null)), new("io", WorkKind.Io, null)]));
        return harness.Effects.Joined!;
    }
}
