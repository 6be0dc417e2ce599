using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Objects;

/// <summary>A timed change of an object: a lease ends, an entry expires, an idle queue disappears.</summary>
internal abstract class ObjectTimer(long order) : DeadlineNode(order)
{
    /// <summary>The object that it changes.</summary>
    public abstract NamedObject Object { get; }

    /// <summary>The timer is due; it has already been removed from the engine's heap.</summary>
    public virtual void OnDue(ObjectEngine engine)
    {
    }
}

/// <summary>A time at which an object is to be reevaluated (<see cref="NamedObject.OnTimer"/>), beside the timeouts of its waiters.</summary>
/// <param name="order">
/// Breaks ties: a timer that was created before a wait began fires before the timeout of that wait.
/// </param>
/// <param name="object">The object.</param>
internal sealed class ReevaluationTimer(long order, NamedObject @object) : ObjectTimer(order)
{
    public override NamedObject Object => @object;

    public override void OnDue(ObjectEngine engine) => @object.OnTimer(engine);
}
