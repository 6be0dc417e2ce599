using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Concurrency keys: a maximum number of assigned tasks per key, over all workers. A key exists only while tasks hold or wait for its
/// permits.
/// </summary>
internal sealed class ConcurrencyLimiter
{
    private readonly Dictionary<string, KeyState> _keys = [];

    public static bool Concerns(TaskRecord task) => task.Policy.ConcurrencyKey.Length > 0;

    /// <summary>Takes a permit for the task; false when there is none.</summary>
    public bool TryEnter(TaskRecord task)
    {
        var state = Open(task);
        if (state.Holders >= state.Limit)
            return false;
        state.Holders++;
        task.Set(TaskFlags.HoldsPermit);
        return true;
    }

    /// <summary>Enqueues a task for a permit.</summary>
    public void Enqueue(TaskRecord task, long rank) => Open(task).Waiters.Add(new RankedTask(rank, task.Id, task));

    /// <summary>Removes a waiting task.</summary>
    public void Remove(TaskRecord task, long rank)
    {
        var state = _keys[task.Policy.ConcurrencyKey];
        state.Waiters.Remove(new RankedTask(rank, task.Id, task));
        Forget(task, state);
    }

    /// <summary>Returns a task's permit and returns the waiter that now may try again, if any.</summary>
    public TaskRecord? Leave(TaskRecord task)
    {
        task.Clear(TaskFlags.HoldsPermit);
        var state = _keys[task.Policy.ConcurrencyKey];
        state.Holders--;
        var next = Admit(task);
        Forget(task, state);
        return next;
    }

    /// <summary>Gives a free permit of the task's key to the next waiter; null if there is no permit or no waiter.</summary>
    public TaskRecord? Admit(TaskRecord task)
    {
        if (!_keys.TryGetValue(task.Policy.ConcurrencyKey, out var state) || state.Holders >= state.Limit || state.Waiters.Count == 0)
            return null;
        var first = state.Waiters.Min;
        state.Waiters.Remove(first);
        state.Holders++;
        first.Task.Set(TaskFlags.HoldsPermit);
        return first.Task;
    }

    /// <summary>
    /// The key of a task that requests a permit. Only such a task sets the limit: a task that leaves may be older than the
    /// limit in force.
    /// </summary>
    private KeyState Open(TaskRecord task)
    {
        var key = task.Policy.ConcurrencyKey;
        if (!_keys.TryGetValue(key, out var state))
            _keys.Add(key, state = new KeyState());
        state.Limit = task.Policy.ConcurrencyLimit;
        return state;
    }

    private void Forget(TaskRecord task, KeyState state)
    {
        if (state.Holders == 0 && state.Waiters.Count == 0)
            _keys.Remove(task.Policy.ConcurrencyKey);
    }

    private sealed class KeyState
    {
        public int Limit;
        public int Holders;
        public readonly SortedSet<RankedTask> Waiters = [];
    }
}
