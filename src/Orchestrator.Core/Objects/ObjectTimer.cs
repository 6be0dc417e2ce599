using Orchestrator.Core.Scheduling;

namespace Orchestrator.Core.Objects;

/// <summary>Something of an object that happens when its time has come: a lease ends, an entry expires, an idle queue disappears.</summary>
internal abstract class ObjectTimer(long order) : DeadlineNode(order)
{
    /// <summary>The time has come; the timer is out of the engine's heap by now.</summary>
    public abstract void OnDue(ObjectEngine engine);
}
