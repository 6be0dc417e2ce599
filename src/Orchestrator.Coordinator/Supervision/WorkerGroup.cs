using Orchestrator.Core.Scheduling;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>One group as its supervisor keeps it: the slots are counted and the hot spare is kept ready for each group by itself.</summary>
internal sealed class WorkerGroup(WorkerGroupOptions options, int firstCore)
{
    public WorkerGroupOptions Options { get; set; } = options;

    public string Name => Options.Name;

    /// <summary>Where its first slot lies among the cores: behind those of the groups before it.</summary>
    public int FirstCore => firstCore;

    /// <summary>The number of its last slot.</summary>
    public int SlotNumber { get; set; }

    public WorkerProcess? Spare { get; set; }

    public bool SpareHasFailed { get; set; }

    public EarlyDeaths SpareDeaths { get; } = new();

    /// <summary>Why it has been given up, while it is: none of its slots will be filled until an operator asks for it.</summary>
    public GroupLoss? Loss { get; private set; }

    /// <summary>Why its last worker is gone, and what is known of that worker; null where it could not be started at all.</summary>
    public (string Cause, WorkerPostMortem? PostMortem) LastDeath { get; set; } = ("", null);

    public void GiveUp(int deaths) => Loss = new GroupLoss(
        Name,
        $"group '{Name}' was given up after {deaths} early deaths of each of its workers, the last: {LastDeath.Cause}; mend the cause, then 'orchestrator recycle' or a restart tries again",
        LastDeath.PostMortem);

    public void Revive() => Loss = null;
}
