using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Tasks that wait for a permit of a rate limiter. Permits come from outside, one at a time: the next is requested once the last has led to
/// a start, so that a busy worker accumulates none. A limiter exists only while tasks wait, or a permit is requested or unused.
/// </summary>
internal sealed class StartRateLimiter
{
    private readonly Dictionary<(string, ReadyQueue), RateGate> _gates = [];

    public static bool Concerns(TaskRecord task) => task.Policy.RateLimiter.Length > 0;

    /// <summary>Enqueues a task for a permit.</summary>
    public void Enqueue(TaskRecord task, ReadyQueue queue, TaskEffects effects)
    {
        // Each ready queue has its own limiter: no task waits for a permit that lies unused because another queue has no free worker.
        var key = (task.Policy.RateLimiter, queue);
        if (!_gates.TryGetValue(key, out var gate))
            _gates.Add(key, gate = new RateGate(task.Policy.RateLimiter, queue));
        task.GetExtras().RateGate = gate;
        gate.Waiters.Add(new RankedTask(queue.RankOf(task), task.Id, task));
        Ask(gate, effects);
    }

    /// <summary>Removes a waiting task.</summary>
    public void Unpark(TaskRecord task)
    {
        var gate = task.Extras!.RateGate!;
        gate.Waiters.Remove(new RankedTask(gate.Queue.RankOf(task), task.Id, task));
        Forget(gate);
    }

    /// <summary>
    /// The requested permit was granted. Returns the task that gets it; null if none waits any more, and the permit is returned.
    /// </summary>
    public TaskRecord? Grant(RateGate gate, TaskEffects effects)
    {
        gate.Asked = false;
        return HandOver(gate, effects);
    }

    /// <summary>The task's permit has led to a start.</summary>
    public void Use(TaskRecord task, TaskEffects effects)
    {
        var gate = Release(task);
        Ask(gate, effects);
        Forget(gate);
    }

    /// <summary>The task does not start now. Returns the task that gets its permit; null if none waits, and the permit is returned.</summary>
    public TaskRecord? PassOn(TaskRecord task, TaskEffects effects) => HandOver(Release(task), effects);

    /// <summary>No permit will be granted. Returns the waiting tasks.</summary>
    public IReadOnlyList<TaskRecord> Close(RateGate gate)
    {
        gate.Asked = false;
        TaskRecord[] waiting = [.. gate.Waiters.Select(item => item.Task)];
        gate.Waiters.Clear();
        Forget(gate);
        return waiting;
    }

    private static RateGate Release(TaskRecord task)
    {
        task.Clear(TaskFlags.HoldsRatePermit);
        // The limiter at which it waited: its handler may use another queue by now.
        var gate = task.Extras!.RateGate!;
        gate.HasUnused = false;
        return gate;
    }

    private TaskRecord? HandOver(RateGate gate, TaskEffects effects)
    {
        if (gate.Waiters.Count == 0)
        {
            effects.Permits.Add(new PermitOrder(gate, PermitOrderKind.GiveBack));
            Forget(gate);
            return null;
        }

        var first = gate.Waiters.Min;
        gate.Waiters.Remove(first);
        gate.HasUnused = true;
        first.Task.Set(TaskFlags.HoldsRatePermit);
        return first.Task;
    }

    private static void Ask(RateGate gate, TaskEffects effects)
    {
        if (gate.Asked || gate.HasUnused || gate.Waiters.Count == 0)
            return;
        gate.Asked = true;
        effects.Permits.Add(new PermitOrder(gate, PermitOrderKind.Ask));
    }

    private void Forget(RateGate gate)
    {
        // A limiter with a pending request stays, so that there are never two pending requests for one key.
        if (gate is { Asked: false, HasUnused: false, Waiters.Count: 0 })
            _gates.Remove((gate.RateLimiter, gate.Queue));
    }
}

/// <summary>The tasks of one rate limiter and one ready queue that wait for permits.</summary>
public sealed class RateGate
{
    internal readonly SortedSet<RankedTask> Waiters = [];
    internal readonly ReadyQueue Queue;
    internal bool Asked;
    internal bool HasUnused;

    internal RateGate(string rateLimiter, ReadyQueue queue) => (RateLimiter, Queue) = (rateLimiter, queue);

    /// <summary>The rate limiter's name.</summary>
    public string RateLimiter { get; }

    /// <summary>The host's side of it; opaque to the engine.</summary>
    public object? Source { get; set; }
}
