using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Scheduling;

/// <summary>The workers that serve one placement, what they offer, and the tasks that wait for them.</summary>
internal sealed class WorkerPool(TaskPlacement placement, long agingTicks, IReadOnlyList<string> expectedGroups)
{
    /// <summary>A set of groups is a word of bits.</summary>
    public const int MaxGroups = 64;

    private readonly List<string> _groups = [];

    public TaskPlacement Placement => placement;

    public List<EngineWorker> Workers { get; } = [];

    /// <summary>One per set of groups that some handler is offered by; mostly one in all.</summary>
    public List<WorkerRoute> Routes { get; } = [];

    /// <summary>The handlers that its workers offer, by name.</summary>
    public Dictionary<string, HandlerProfile> Handlers { get; } = [];

    /// <summary>How many tasks wait for the one worker to which their affinity key is bound.</summary>
    public int Pinned { get; set; }

    /// <summary>Whether every group has said which handlers it has, so that a name which is not among them is unknown.</summary>
    public bool HasCatalog { get; private set; }

    public bool CanKill => placement == TaskPlacement.WorkerProcess;

    public int LaneCount => placement == TaskPlacement.WorkerProcess ? 3 : 1;

    public int LaneOf(WorkKind kind) => LaneCount == 1 ? 0 : (int)kind;

    /// <summary>A worker of this group says what it offers.</summary>
    /// <returns>The group as a set.</returns>
    public ulong Announce(string group)
    {
        var index = _groups.IndexOf(group);
        if (index < 0)
        {
            if (_groups.Count == MaxGroups)
                throw new InvalidOperationException($"there are {MaxGroups} worker groups already; '{group}' would be one more");
            index = _groups.Count;
            _groups.Add(group);
        }

        HasCatalog = expectedGroups.All(_groups.Contains);
        return 1UL << index;
    }

    /// <summary>The names of a set of groups.</summary>
    public IReadOnlyList<string> NamesOf(ulong groups) => [.. _groups.Where((_, index) => (groups & (1UL << index)) != 0)];

    /// <summary>Where tasks wait whose handler is offered by exactly these groups.</summary>
    public WorkerRoute RouteOf(ulong groups)
    {
        if (Routes.Find(route => route.Groups == groups) is { } known)
            return known;
        var added = new WorkerRoute(groups, LaneCount, agingTicks);
        Routes.Add(added);
        return added;
    }

    public bool HasReady(int lane)
    {
        foreach (var route in Routes)
        {
            if (route.Queues[lane].Count > 0)
                return true;
        }

        return false;
    }

    /// <summary>The route whose first task is next in the promised order, of those that a dispatch has not found blocked.</summary>
    public WorkerRoute? NextRoute(int lane)
    {
        WorkerRoute? best = null;
        foreach (var route in Routes)
        {
            if (!route.IsBlocked && route.Queues[lane].Count > 0 && (best is null || route.Queues[lane].FirstRanked.CompareTo(best.Queues[lane].FirstRanked) < 0))
                best = route;
        }

        return best;
    }

    /// <summary>The first ready task that this worker could run; null where none waits for it.</summary>
    public RankedTask? FirstFor(EngineWorker worker, int lane)
    {
        RankedTask? best = null;
        foreach (var route in Routes)
        {
            if (route.Includes(worker) && route.Queues[lane].Count > 0 && (best is not { } other || route.Queues[lane].FirstRanked.CompareTo(other) < 0))
                best = route.Queues[lane].FirstRanked;
        }

        return best;
    }
}
