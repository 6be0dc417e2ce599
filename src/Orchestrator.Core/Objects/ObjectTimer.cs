using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Objects;

/// <summary>Something of an object that happens when its time has come: a lease ends, an entry expires, an idle queue disappears.</summary>
internal abstract class ObjectTimer(long order) : DeadlineNode(order)
{
    /// <summary>The time has come; the timer is out of the engine's heap by now.</summary>
    public abstract void OnDue(ObjectEngine engine);
}

/// <summary>A moment at which an object is to be looked at again (<see cref="NamedObject.OnTimer"/>), beside the timeouts of its waiters.</summary>
/// <param name="order">
/// Breaks ties: a timer that was made before a wait began goes before the timeout of that wait.
/// </param>
/// <param name="object">The object.</param>
internal sealed class ReevaluationTimer(long order, NamedObject @object) : ObjectTimer(order)
{
    public override void OnDue(ObjectEngine engine) => @object.OnTimer(engine);
}
