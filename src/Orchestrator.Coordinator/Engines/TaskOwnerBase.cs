using Orchestrator.Core.Tasks;
using Orchestrator.Coordinator.Dispatch;

namespace Orchestrator.Coordinator.Engines;

/// <summary>
/// An owner of tasks in the shell. The methods are called under the engine's lock, in the order in which things happened, and may only take note;
/// <see cref="IFlushable.Flush"/> follows once the lock has been left.
/// </summary>
internal abstract class TaskOwnerBase : TaskOwner, IFlushable
{
    /// <summary>The outcomes of a submission of this owner, in its order.</summary>
    public virtual void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes)
    {
    }

    /// <summary>Whether it wants to hear of <see cref="OnAccepted"/>.</summary>
    public virtual bool TellsAcceptance => false;

    /// <summary>These tasks may be called accepted: in memory, or, where they are durable, as their level says.</summary>
    public virtual void OnAccepted(IReadOnlyList<SubmitOutcome> outcomes)
    {
    }

    /// <summary>Tasks of this owner have ended.</summary>
    public abstract void OnEnded(ReadOnlySpan<Delivery> deliveries);

    /// <summary>A task of this owner reports.</summary>
    public virtual void OnEvent(in TaskEventRecord item)
    {
    }

    /// <inheritdoc/>
    public abstract void Flush(bool alone);
}

/// <summary>A watcher of tasks in the shell; as <see cref="TaskOwnerBase"/>.</summary>
internal abstract class TaskWatcherBase : TaskWatcher, IFlushable
{
    /// <summary>Something happened to a watched task.</summary>
    public abstract void OnEvent(in TaskEventRecord item);

    /// <inheritdoc/>
    public abstract void Flush(bool alone);
}
