using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>A timed change of an object: a lease ends, an entry expires, an idle queue disappears.</summary>
internal abstract class ObjectTimer(long order) : DeadlineNode(order)
{
    /// <summary>The object that it changes.</summary>
    public abstract NamedObject Object { get; }
}

/// <summary>
/// A time at which an object is to be reevaluated (<see cref="PrimitiveMachine.OnTimer"/>), beside the timeouts of its waiters.
/// </summary>
/// <param name="order">
/// Breaks ties: a timer that was created before a wait began fires before the timeout of that wait.
/// </param>
/// <param name="object">The object.</param>
internal sealed class ReevaluationTimer(long order, NamedObject @object) : ObjectTimer(order)
{
    public override NamedObject Object => @object;
}
