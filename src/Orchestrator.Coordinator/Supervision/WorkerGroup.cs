using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>The supervisor's state of one group: slots are counted, and a hot spare is kept, per group.</summary>
internal sealed class WorkerGroup(WorkerGroupOptions options, int firstCore, RestartTally restarts)
{
    public WorkerGroupOptions Options { get; set; } = options;

    public string Name => Options.Name;

    /// <summary>The core index of its first slot: after the slots of the groups before it.</summary>
    public int FirstCore => firstCore;

    /// <summary>The number of the last slot.</summary>
    public int SlotNumber { get; set; }

    /// <summary>How often and how fast its workers, and those of the other groups, were replaced.</summary>
    public RestartTally Restarts => restarts;

    public WorkerProcess? Spare { get; set; }

    public bool SpareHasFailed { get; set; }

    public EarlyDeaths SpareDeaths { get; } = new();

    /// <summary>Why the group has been given up, if it has: none of its slots is filled until an operator requests it.</summary>
    public GroupLoss? Loss { get; private set; }

    /// <summary>
    /// Why its last worker ended, and that worker's post-mortem; the latter is null if the worker could not be started at all.
    /// </summary>
    public (string Cause, WorkerPostMortem? PostMortem) LastDeath { get; set; } = ("", null);

    public void GiveUp(int deaths) => Loss = new GroupLoss(
        Name,
        $"group '{Name}' was given up after {deaths} early deaths of each of its workers, the last: {LastDeath.Cause}; fix the cause, " +
        "then 'orchestrator recycle' or a restart tries again",
        LastDeath.PostMortem);

    public void Revive() => Loss = null;
}
