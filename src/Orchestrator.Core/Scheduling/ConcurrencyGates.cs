using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Concurrency keys: at most so many assigned tasks per key, over all workers. A key exists only while tasks hold or wait for its permits.
/// </summary>
internal sealed class ConcurrencyGates
{
    private readonly Dictionary<string, Gate> _gates = [];

    public static bool Concerns(TaskRecord task) => task.Policy.ConcurrencyKey.Length > 0;

    /// <summary>Takes a permit for the task; false when there is none.</summary>
    public bool TryEnter(TaskRecord task)
    {
        var gate = GateOf(task);
        if (gate.Holders >= gate.Limit)
            return false;
        gate.Holders++;
        task.Set(TaskMarks.HoldsPermit);
        return true;
    }

    /// <summary>Lets a task wait for a permit.</summary>
    public void Park(TaskRecord task, long rank) => GateOf(task).Waiters.Add(new RankedTask(rank, task.Id, task));

    /// <summary>Removes a waiting task.</summary>
    public void Unpark(TaskRecord task, long rank)
    {
        var gate = GateOf(task);
        gate.Waiters.Remove(new RankedTask(rank, task.Id, task));
        Forget(task, gate);
    }

    /// <summary>Gives a task's permit back and returns the waiter that now may try again, if any.</summary>
    public TaskRecord? Leave(TaskRecord task)
    {
        task.Clear(TaskMarks.HoldsPermit);
        var gate = GateOf(task);
        gate.Holders--;
        TaskRecord? next = null;
        if (gate.Holders < gate.Limit && gate.Waiters.Count > 0)
        {
            var first = gate.Waiters.Min;
            gate.Waiters.Remove(first);
            gate.Holders++;
            next = first.Task;
            next.Set(TaskMarks.HoldsPermit);
        }

        Forget(task, gate);
        return next;
    }

    private Gate GateOf(TaskRecord task)
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
