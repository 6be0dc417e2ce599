using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Concurrency keys: a maximum number of assigned tasks per key, over all workers. A key exists only while tasks hold or wait for its permits.
/// </summary>
internal sealed class ConcurrencyLimiter
{
    private readonly Dictionary<string, Gate> _gates = [];

    public static bool Concerns(TaskRecord task) => task.Policy.ConcurrencyKey.Length > 0;

    /// <summary>Takes a permit for the task; false when there is none.</summary>
    public bool TryEnter(TaskRecord task)
    {
        var gate = Open(task);
        if (gate.Holders >= gate.Limit)
            return false;
        gate.Holders++;
        task.Set(TaskFlags.HoldsPermit);
        return true;
    }

    /// <summary>Enqueues a task for a permit.</summary>
    public void Enqueue(TaskRecord task, long rank) => Open(task).Waiters.Add(new RankedTask(rank, task.Id, task));

    /// <summary>Removes a waiting task.</summary>
    public void Unpark(TaskRecord task, long rank)
    {
        var gate = _gates[task.Policy.ConcurrencyKey];
        gate.Waiters.Remove(new RankedTask(rank, task.Id, task));
        Forget(task, gate);
    }

    /// <summary>Returns a task's permit and returns the waiter that now may try again, if any.</summary>
    public TaskRecord? Leave(TaskRecord task)
    {
        task.Clear(TaskFlags.HoldsPermit);
        var gate = _gates[task.Policy.ConcurrencyKey];
        gate.Holders--;
        var next = Admit(task);
        Forget(task, gate);
        return next;
    }

    /// <summary>Gives a free permit of the task's key to the next waiter; null if there is no permit or no waiter.</summary>
    public TaskRecord? Admit(TaskRecord task)
    {
        if (!_gates.TryGetValue(task.Policy.ConcurrencyKey, out var gate) || gate.Holders >= gate.Limit || gate.Waiters.Count == 0)
            return null;
        var first = gate.Waiters.Min;
        gate.Waiters.Remove(first);
        gate.Holders++;
        first.Task.Set(TaskFlags.HoldsPermit);
        return first.Task;
    }

    /// <summary>
    /// The limiter of a task that requests a permit. Only such a task sets the limit: a task that leaves may be older than the
    /// limit in force.
    /// </summary>
    private Gate Open(TaskRecord task)
    {
        var key = task.Policy.ConcurrencyKey;
        if (!_gates.TryGetValue(key, out var gate))
            _gates.Add(key, gate = new Gate());
        gate.Limit = task.Policy.ConcurrencyLimit;
        return gate;
    }

    private void Forget(TaskRecord task, Gate gate)
    {
        if (gate.Holders == 0 && gate.Waiters.Count == 0)
            _gates.Remove(task.Policy.ConcurrencyKey);
    }

    private sealed class Gate
    {
        public int Limit;
        public int Holders;
        public readonly SortedSet<RankedTask> Waiters = [];
    }
}
