using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>The workers that serve one placement, their handlers, and the tasks that wait for them.</summary>
internal sealed class WorkerPool(PlacementPolicy placement, long agingTicks, IReadOnlyList<string> expectedGroups)
{
    /// <summary>A set of groups is one word of bits.</summary>
    public const int MaxGroups = 64;

    private readonly List<string> _groups = [];
    private readonly Dictionary<string, GroupLoss> _losses = [];
    private ulong _announced;
    private ulong _givenUp;

    public PlacementPolicy Placement => placement;

    public List<WorkerNode> Workers { get; } = [];

    /// <summary>One per set of groups that offers some handler; usually one in all.</summary>
    public List<HandlerRoute> Routes { get; } = [];

    /// <summary>The handlers that its workers offer, by name.</summary>
    public Dictionary<string, HandlerProfile> Handlers { get; } = [];

    /// <summary>How many tasks wait for the one worker to which their affinity key is bound.</summary>
    public int Pinned { get; set; }

    /// <summary>
    /// Whether every group has announced its handlers or has been given up, so that no group is left that might still offer an unknown
    /// name.
    /// </summary>
    public bool HasCatalog { get; private set; }

    /// <summary>The groups that were given up before they announced their handlers.</summary>
    public IEnumerable<GroupLoss> UnheardLosses => _losses.Values.Where(loss => (BitOf(loss.Group) & _announced) == 0);

    public bool CanKill => placement == PlacementPolicy.WorkerProcess;

    public int LaneCount => placement == PlacementPolicy.WorkerProcess ? 3 : 1;

    public int LaneOf(WorkKind kind) => LaneCount == 1 ? 0 : (int)kind;

    /// <summary>A worker of this group announces its handlers.</summary>
    /// <returns>The group as a set.</returns>
    public ulong Announce(string group)
    {
        _announced |= BitOf(group);
        Revive(group);
        return BitOf(group);
    }

    /// <summary>None of a group's workers lives, and none will be started.</summary>
    public void GiveUp(GroupLoss loss)
    {
        _givenUp |= BitOf(loss.Group);
        _losses[loss.Group] = loss;
        UpdateCatalog();
    }

    /// <summary>A group's workers are started again.</summary>
    public void Revive(string group)
    {
        _givenUp &= ~BitOf(group);
        _losses.Remove(group);
        UpdateCatalog();
    }

    /// <summary>Whether all of these groups have been given up.</summary>
    public bool IsLost(ulong groups) => groups != 0 && (groups & ~_givenUp) == 0;

    /// <summary>Why these groups have been given up.</summary>
    public IEnumerable<GroupLoss> LossesOf(ulong groups) => _losses.Values.Where(loss => (BitOf(loss.Group) & groups) != 0);

    /// <summary>The names of a set of groups.</summary>
    public IReadOnlyList<string> NamesOf(ulong groups) => [.. _groups.Where((_, index) => (groups & (1UL << index)) != 0)];

    /// <summary>The route of handlers that exactly these groups offer.</summary>
    public HandlerRoute RouteOf(ulong groups)
    {
        if (Routes.Find(route => route.Groups == groups) is { } known)
            return known;
        var added = new HandlerRoute(groups, LaneCount, agingTicks);
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

    private ulong BitOf(string group)
    {
        var index = _groups.IndexOf(group);
        if (index >= 0)
            return 1UL << index;
        if (_groups.Count == MaxGroups)
            throw new InvalidOperationException($"there are {MaxGroups} worker groups already; '{group}' would be one more");
        _groups.Add(group);
        return 1UL << (_groups.Count - 1);
    }

    private void UpdateCatalog()
    {
        var settled = _announced | _givenUp;
        HasCatalog = settled != 0 && expectedGroups.All(group => (BitOf(group) & settled) != 0);
    }

    /// <summary>The route whose first task is next in the promised order, of those that a dispatch has not found blocked.</summary>
    public HandlerRoute? NextRoute(int lane)
    {
        HandlerRoute? best = null;
        foreach (var route in Routes)
        {
            if (!route.IsBlocked
                && route.Queues[lane].Count > 0
                && (best is null || route.Queues[lane].FirstRanked.CompareTo(best.Queues[lane].FirstRanked) < 0))
            {
                best = route;
            }
        }

        return best;
    }

    /// <summary>Whether a ready task waits for any worker that can run it, this one among them.</summary>
    public bool HasReadyFor(WorkerNode worker, int lane)
    {
        foreach (var route in Routes)
        {
            if (route.Includes(worker) && route.Queues[lane].Count > 0 && !route.IsHeld(lane))
                return true;
        }

        return false;
    }

    /// <summary>The first ready task that this worker could run; null if none waits for it.</summary>
    public RankedTask? FirstFor(WorkerNode worker, int lane)
    {
        RankedTask? best = null;
        foreach (var route in Routes)
        {
            if (route.Includes(worker)
                && route.Queues[lane].Count > 0
                && (best is not { } other || route.Queues[lane].FirstRanked.CompareTo(other) < 0))
            {
                best = route.Queues[lane].FirstRanked;
            }
        }

        return best;
    }
}
