using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// The next point in time at which something happens to a task by itself: a timeout, its next attempt, the end of its grace period, the
/// expiry of its result.
/// </summary>
internal sealed class TaskDeadlines
{
    private readonly DeadlineHeap<TaskRecord> _heap = new();

    /// <summary>The earliest; <see cref="long.MaxValue"/> if there is none.</summary>
    public long Next => _heap.First?.Deadline ?? long.MaxValue;

    /// <summary>Whether the total timeout of a task has passed.</summary>
    public static bool TotalExpired(TaskRecord task, long now) =>
        task.Policy.TotalTimeout is { } total && task.AcceptedAt + total.Ticks <= now;

    public void Set(TaskRecord task, long deadline) => _heap.Set(task, deadline);

    public void Remove(TaskRecord task)
    {
        // Most tasks have none: that is found without a call.
        if (task.HeapIndex >= 0)
            _heap.Remove(task);
    }

    /// <summary>Takes the first task whose deadline has come; null if there is none.</summary>
    public TaskRecord? TakeDue(long now)
    {
        if (_heap.First is not { } task || task.Deadline > now)
            return null;
        _heap.Remove(task);
        return task;
    }

    /// <summary>Sets the next deadline of a task that is not being cancelled, from its policy and its phase.</summary>
    public void SetByPolicy(TaskRecord task)
    {
        var policy = task.Policy;
        if (policy.TotalTimeout is null && policy.QueueTimeout is null && policy.RunTimeout is null && task.Phase != TaskPhase.BackingOff)
            Remove(task);
        else
            SetNext(task, policy);
    }

    private void SetNext(TaskRecord task, TaskPolicy policy)
    {
        var deadline = policy.TotalTimeout is { } total ? task.AcceptedAt + total.Ticks : long.MaxValue;
        var queuedAt = task.SideData is { QueuedAt: not 0 } sideData ? sideData.QueuedAt : task.AcceptedAt;
        if (task.Phase == TaskPhase.BackingOff)
            deadline = Math.Min(deadline, queuedAt);
        else if (task.Phase == TaskPhase.Assigned && task.StartedAt != 0)
            deadline = policy.RunTimeout is { } run ? Math.Min(deadline, task.StartedAt + run.Ticks) : deadline;
        else if (policy.QueueTimeout is { } queue && task.Intent != EndIntent.QueueTimeout)
            deadline = Math.Min(deadline, queuedAt + queue.Ticks);
        _heap.Set(task, deadline);
    }
}
