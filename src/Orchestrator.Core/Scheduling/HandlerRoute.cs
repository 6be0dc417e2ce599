using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// The ready tasks of all handlers that one set of worker groups offers, in one queue per lane. Tasks that any of the same workers can run
/// wait in one order; a busy group does not delay tasks of another group's handlers.
/// </summary>
internal sealed class HandlerRoute(ulong groups, int lanes, long agingTicks) : WorkerGroupSet(groups)
{
    public ReadyQueue[] Queues { get; } = [.. Enumerable.Range(0, lanes).Select(_ => new ReadyQueue(agingTicks))];

    /// <summary>The fairness keys of the tasks that were taken.</summary>
    public KeyMix Keys { get; } = new();

    /// <summary>Within one dispatch: its first task finds no place, so no later task may pass it.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>
    /// The lanes, as bits, whose ready tasks are all brief and wait for the workers on which they are packed while others are idle.
    /// </summary>
    public int HeldLanes { get; set; }

    public bool IsHeld(int lane) => (HeldLanes & (1 << lane)) != 0 && Queues[lane].Count > 0;
}
