using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Objects;

/// <summary>A moment at which an object is to be looked at again (<see cref="NamedObject.OnTimer"/>), beside the timeouts of its waiters.</summary>
/// <param name="order">
/// Breaks ties: a timer that was made before a wait began goes before the timeout of that wait.
/// </param>
/// <param name="object">The object.</param>
internal sealed class ObjectTimer(long order, NamedObject @object) : DeadlineNode(order)
{
    public NamedObject Object => @object;
}
