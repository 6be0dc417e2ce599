using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>Effects on durable tasks that are carried out once the changes behind them are written.</summary>
internal sealed class PendingTaskEffects(TaskEngineHost host, TaskChange[] changes) : JournalEntry
{
    /// <summary>The effects.</summary>
    public TaskEffects Effects { get; } = new();

    /// <summary>The owner to notify that these tasks are accepted; null for none.</summary>
    public (TaskOwnerBase Owner, IReadOnlyList<SubmitOutcome> Outcomes)? Accepted { get; init; }

    /// <summary>Whether any of these concerns a durable task.</summary>
    public static bool Concerns(TaskEffects effects, TaskEngineView view) =>
        effects.Assignments.Exists(static item => IsDurable(item.Task))
        || effects.Deliveries.Exists(static item => IsDurable(item.Task))
        || effects.Notifications.Exists(static item => IsDurable(item.Event.Task))
        || effects.Signals.Exists(item => view.Find(item.TaskId) is { } task && IsDurable(task));

    /// <summary>Moves the effects on durable tasks into this object.</summary>
    public void Take(TaskEffects from, TaskEngineView view)
    {
        Move(from.Assignments, Effects.Assignments, item => IsDurable(item.Task));
        Move(from.Signals, Effects.Signals, item => view.Find(item.TaskId) is { } task && IsDurable(task));
        Move(from.Notifications, Effects.Notifications, item => IsDurable(item.Event.Task));
        Move(from.Deliveries, Effects.Deliveries, item => IsDurable(item.Task));
    }

    public override Record? ToRecord(ObjectChangeMapper objects, TaskChangeMapper tasks)
    {
        if (changes.Length == 0)
            return null;
        var record = new Record();
        foreach (var change in changes)
            record.Changes.Add(tasks.ToWire(change));
        return record;
    }

    public override void OnWritten() => host.Release(this);

    /// <summary>Task ends are still delivered, as failures.</summary>
    public override void OnFailed(string why) => host.Release(this);

    /// <summary>After a journal failure, pending attempts are not started; the engine has been informed.</summary>
    public void DropStarts()
    {
        Effects.Assignments.Clear();
        Effects.Signals.Clear();
    }

    /// <summary>Whether changes to the task are journaled.</summary>
    public static bool IsDurable(TaskRecord task) => task.Policy.Durability > Durability.Memory;

    private static void Move<T>(List<T> from, List<T> to, Predicate<T> concerned)
    {
        if (from.Count == 0)
            return;
        to.AddRange(from.FindAll(concerned));
        if (to.Count > 0)
            from.RemoveAll(concerned);
    }
}
