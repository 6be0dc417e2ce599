namespace Orchestrator.Core.TaskModel;

/// <summary>
/// A worker as the engine sees it: one incarnation of one process, or an in-process executor. A message that belongs to an older
/// incarnation finds an instance that has left, and changes nothing.
/// </summary>
public sealed class WorkerNode
{
    private readonly Stack<int> _freeSlots;

    internal WorkerNode(WorkerDescription description, long briefTicks)
    {
        Description = description;
        Lanes = description.Placement == PlacementPolicy.WorkerProcess
            ?
            [
                new Lane(description.CpuSlots, briefTicks),
                new Lane(description.IoSlots, briefTicks),
                new Lane(description.BlockingSlots, briefTicks),
            ]
            : [new Lane(description.CpuSlots, briefTicks)];
        Pinned = new SortedSet<RankedTask>[Lanes.Length];
        _freeSlots = new Stack<int>(description.RecorderSlots);
        for (var slot = description.RecorderSlots - 1; slot >= 0; slot--)
            _freeSlots.Push(slot);
    }

    /// <summary>Its description of itself when it joined.</summary>
    public WorkerDescription Description { get; }

    /// <summary>Set by the host: the channel to this worker. Opaque to the engine.</summary>
    public object? Channel { get; internal init; }

    /// <summary>Name and incarnation, such as <c>worker-1#3</c>.</summary>
    public string Name => Description.Name;

    /// <summary>Attempts that run.</summary>
    public int Running => Lanes.Sum(lane => lane.Running);

    /// <summary>Attempts of a kind of work that run; in process, where all kinds share a lane, all count as the first.</summary>
    public int RunningOf(WorkKind kind) => (int)kind < Lanes.Length ? Lanes[(int)kind].Running : 0;

    /// <summary>The attempt that has run longest; null if none runs.</summary>
    public TaskRecord? LongestRunning => Lanes
        .Select(lane => lane.Started.FirstOrDefault())
        .Where(task => task is { StartedAt: not 0 })
        .MinBy(task => task!.StartedAt);

    /// <summary>The running attempt, if it is the only one; null if none or several run.</summary>
    public AttemptId? OnlyRunning
    {
        get
        {
            if (Running != 1)
                return null;
            var task = Lanes.SelectMany(lane => lane.Started).First();
            return new AttemptId(task.Id, task.Attempt);
        }
    }

    /// <summary>Prefetched attempts that have not started.</summary>
    public int Prefetched => Lanes.Sum(lane => lane.Waiting);

    /// <summary>Attempts that succeeded here.</summary>
    public long Succeeded { get; internal set; }

    /// <summary>Attempts that ended here without success.</summary>
    public long Failed { get; internal set; }

    /// <summary>Whether it gets no new work: it drains, is condemned or has left.</summary>
    public bool IsClosed => IsDraining || IsCondemned || HasLeft;

    /// <summary>Whether it is to be killed once its uninvolved tasks have ended.</summary>
    public bool IsCondemned { get; internal set; }

    /// <summary>Whether it is a process of its own, as opposed to an executor in the coordinator.</summary>
    internal bool CanBeKilled => Description.Placement == PlacementPolicy.WorkerProcess;

    /// <summary>Its group in the pool's sets of groups.</summary>
    internal ulong GroupBit { get; init; } = 1;

    internal Lane[] Lanes { get; }

    /// <summary>What is kept open for spans of its attempts; opaque here.</summary>
    internal object? Tracks { get; set; }

    /// <summary>Tasks that may run only here, per lane, because of their affinity key.</summary>
    internal SortedSet<RankedTask>?[] Pinned { get; }

    internal bool IsDraining { get; set; }

    internal bool HasLeft { get; set; }

    /// <summary>When a condemned worker is killed, even if attempts still run there.</summary>
    internal long CondemnedUntil { get; set; } = long.MaxValue;

    /// <summary>The number of outstanding attempts that caused its condemnation and wait for its end.</summary>
    internal int AwaitingKill { get; set; }

    internal bool KillOrdered { get; set; }

    /// <summary>
    /// Tasks that have ended for their owners while their code still runs here; they hold their concurrency permits until the
    /// worker is dead.
    /// </summary>
    internal List<TaskRecord>? HeldPermits { get; set; }

    /// <summary>Attempts that it holds, running or not.</summary>
    public int Outstanding => Lanes.Sum(lane => lane.Outstanding);

    internal bool HasFreeSlot => _freeSlots.Count > 0;

    /// <summary>The lane on which a task runs here.</summary>
    internal Lane LaneOf(TaskRecord task) => Lanes[Lanes.Length == 1 ? 0 : (int)task.Handler.Kind];

    internal int TakeSlot() => _freeSlots.Pop();

    internal void ReturnSlot(int slot) => _freeSlots.Push(slot);

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>A worker's description of itself when it joins.</summary>
/// <param name="Name">Its name and incarnation, such as <c>worker-1#3</c>; empty for an in-process executor.</param>
/// <param name="Placement">The placement that it serves.</param>
/// <param name="CpuSlots">Attempts at once on the CPU lane; for an in-process executor, on its only lane.</param>
/// <param name="IoSlots">Attempts at once on the IO lane.</param>
/// <param name="BlockingSlots">Attempts at once on the blocking lane.</param>
/// <param name="RecorderSlots">The bytes of its flight recorder: the most attempts that it may hold.</param>
/// <param name="RecordsFlight">Whether work may be sent ahead: it keeps the recorder, or it cannot die alone.</param>
public sealed record WorkerDescription(
    string Name, PlacementPolicy Placement, int CpuSlots, int IoSlots, int BlockingSlots, int RecorderSlots, bool RecordsFlight)
{
    /// <summary>
    /// Its group. All workers of a group run the same program, so each of them can run the handlers that one of them offers.
    /// </summary>
    public string Group { get; init; } = "";

    /// <summary>The processor core to which it is pinned; negative if it may run on any.</summary>
    public int Core { get; init; } = -1;
}

/// <summary>A task with its rank among others; smaller first, ties by acceptance.</summary>
internal readonly record struct RankedTask(long Rank, long Id, TaskRecord Task) : IComparable<RankedTask>
{
    public int CompareTo(RankedTask other)
    {
        var byRank = Rank.CompareTo(other.Rank);
        return byRank != 0 ? byRank : Id.CompareTo(other.Id);
    }
}
