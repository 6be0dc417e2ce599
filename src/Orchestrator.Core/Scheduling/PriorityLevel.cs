using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Scheduling;

/// <summary>The queued tasks of one priority: one flow per fairness key, taken in turn by weight.</summary>
internal sealed class PriorityLevel(int priority)
{
    // Empty flows keep their virtual time until the others have caught up, otherwise a key that submits one task at a time would never pay
    // for its turns. Beyond this many they are dropped: fairness among that many idle keys is not worth the memory.
    private const int MaxIdleFlows = 1_024;

    private readonly Dictionary<string, FairnessQueue> _flows = [];
    private readonly SortedSet<FairnessQueue> _active = new(FlowOrder.Instance);
    private double _pass;

    public int Priority => priority;

    /// <summary>The place in the heap of levels; -1 outside.</summary>
    public int HeapIndex { get; set; } = -1;

    /// <summary>Smaller goes first; see <see cref="ReadyQueue"/>.</summary>
    public long Rank { get; set; }

    public int Count { get; private set; }

    public TaskRecord? First => _single is not null ? _single.First : _active.Min?.First;

    // With one active flow, by far the most common case, the sorted set is not used.
    private FairnessQueue? _single;

    public void Add(TaskRecord task)
    {
        var key = task.Policy.FairnessKey is { Length: > 0 } own ? own : task.Client?.FairnessKey ?? "";
        if (!_flows.TryGetValue(key, out var flow))
        {
            flow = new FairnessQueue(this, key) { VirtualTime = _pass };
            _flows.Add(key, flow);
        }

        flow.Weight = task.Policy.FairnessWeight;
        if (flow.Count == 0)
        {
            flow.VirtualTime = Math.Max(flow.VirtualTime, _pass);
            flow.Add(task);
            Activate(flow);
        }
        else
        {
            flow.Add(task);
        }

        Count++;
    }

    /// <summary>Removes a task; <paramref name="charge"/> if it is taken to run, as opposed to cancelled.</summary>
    public void Remove(TaskRecord task, bool charge)
    {
        var flow = task.Flow!;
        var single = _single == flow;
        if (!single)
            _active.Remove(flow);
        flow.Remove(task);
        Count--;
        if (charge && !task.Has(TaskFlags.Charged))
        {
            task.Set(TaskFlags.Charged);
            _pass = Math.Max(_pass, flow.VirtualTime);
            flow.VirtualTime += 1 / flow.Weight;
        }

        if (flow.Count > 0)
        {
            if (!single)
                _active.Add(flow);
            return;
        }

        if (single)
            _single = null;
        if (flow.VirtualTime <= _pass || _flows.Count > _active.Count + MaxIdleFlows)
            Forget(flow);
    }

    private void Activate(FairnessQueue flow)
    {
        if (_single is null && _active.Count == 0)
        {
            _single = flow;
            return;
        }

        if (_single is { } other)
        {
            _active.Add(other);
            _single = null;
        }

        _active.Add(flow);
    }

    private void Forget(FairnessQueue flow)
    {
        _flows.Remove(flow.Key);
        if (_flows.Count <= _active.Count + MaxIdleFlows)
            return;
        foreach (var idle in _flows.Values.Where(idle => idle.Count == 0).ToArray())
            _flows.Remove(idle.Key);
    }

    private sealed class FlowOrder : IComparer<FairnessQueue>
    {
        public static readonly FlowOrder Instance = new();

        public int Compare(FairnessQueue? x, FairnessQueue? y)
        {
            var byPass = x!.VirtualTime.CompareTo(y!.VirtualTime);
            return byPass != 0 ? byPass : string.CompareOrdinal(x.Key, y.Key);
        }
    }
}
