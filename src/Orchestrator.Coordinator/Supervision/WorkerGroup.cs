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
}
