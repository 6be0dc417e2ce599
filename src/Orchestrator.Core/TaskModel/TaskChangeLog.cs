using Orchestrator.Core.Common;

namespace Orchestrator.Core.TaskModel;

/// <summary>
/// Collects the changes of durable tasks for the journal, in <see cref="TaskEffects.Changes"/>. After the journal has failed there are no
/// more: in the journal the tasks keep their state, for the next process.
/// </summary>
internal sealed class TaskChangeLog
{
    private TaskEffects _effects = new();
    private string? _failure;

    public void Enter(TaskEffects effects) => _effects = effects;

    /// <summary>Durable changes can no longer be written.</summary>
    public void Fail(string why) => _failure ??= why;

    /// <summary>Whether a task with this policy cannot continue, since its changes cannot be written.</summary>
    public bool CannotWrite(TaskPolicy policy) => _failure is not null && policy.Durability > Durability.Memory;

    /// <summary>The failure of such a task.</summary>
    public TaskFailure Unwritten() => new(
        FailureReason.JournalFailed,
        $"the journal has failed, so durable tasks cannot continue until the coordinator is restarted: {_failure}");

    /// <summary>Records a change of a durable task; the caller checks that it is durable, so that others cost no allocation.</summary>
    public void Record(TaskRecord task, TaskChange change)
    {
        if (_failure is not null)
            return;
        _effects.Changes.Add(change);
        if (task.Policy.Durability > _effects.Level)
            _effects.Level = task.Policy.Durability;
    }
}
