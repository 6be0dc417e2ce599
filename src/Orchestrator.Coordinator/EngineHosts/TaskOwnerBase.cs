using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// An owner of tasks in the engine's host. The methods are called under the engine's lock, in the order of the effects, and may only queue;
/// <see cref="IFlushable.Flush"/> follows once the lock has been released.
/// </summary>
internal abstract class TaskOwnerBase : TaskOwner, IFlushable
{
    /// <summary>The outcomes of a submission of this owner, in its order.</summary>
    public virtual void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes)
    {
    }

    /// <summary>Whether <see cref="OnAccepted"/> is to be called.</summary>
    public virtual bool TellsAcceptance => false;

    /// <summary>These tasks are accepted: in memory or, for durable tasks, written at their durability level.</summary>
    public virtual void OnAccepted(IReadOnlyList<SubmitOutcome> outcomes)
    {
    }

    /// <summary>Tasks of this owner have ended.</summary>
    public abstract void OnEnded(ReadOnlySpan<Delivery> deliveries);

    /// <summary>A task of this owner has reported an event.</summary>
    public virtual void OnEvent(in TaskEventRecord item)
    {
    }

    /// <inheritdoc/>
    public abstract void Flush(bool alone);
}

/// <summary>A watcher of tasks in the engine's host; see <see cref="TaskOwnerBase"/>.</summary>
internal abstract class TaskWatcherBase : TaskWatcher, IFlushable
{
    /// <summary>A watched task has an event.</summary>
    public abstract void OnEvent(in TaskEventRecord item);

    /// <inheritdoc/>
    public abstract void Flush(bool alone);
}
