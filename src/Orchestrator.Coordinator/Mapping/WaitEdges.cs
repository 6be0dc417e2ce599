using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;
using EngineCycle = Orchestrator.Core.Kernel.DeadlockCycle;
using EngineEdge = Orchestrator.Core.Kernel.WaitEdge;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts waits to their wire form.</summary>
internal static class WaitEdges
{
    public static DeadlockCycle ToMessage(EngineCycle cycle) => new() { Edges = { cycle.Edges.Select(ToMessage) } };

    public static WaitEdge ToMessage(EngineEdge edge) => new()
    {
        WaiterSession = edge.Waiter?.Alias ?? "",
        WaiterName = NameOf(edge.Waiter),
        Object = edge.ObjectName,
        HolderSession = edge.Holder?.Alias ?? "",
        HolderName = NameOf(edge.Holder),
        Waiting = Duration.FromTimeSpan(edge.Waiting),
    };

    /// <summary>The session's name for people: its display name and the task on whose behalf it acts.</summary>
    private static string NameOf(Core.Kernel.Session? session) => session switch
    {
        null => "",
        { Task: { } task, DisplayName.Length: > 0 } => $"{session.DisplayName} (task {task.TaskId})",
        { Task: { } task } => $"task {task.TaskId}",
        _ => session.DisplayName,
    };
}
