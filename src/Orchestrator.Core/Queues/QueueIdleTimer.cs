using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>The time at which a queue that has not been used since is dropped.</summary>
internal sealed class QueueIdleTimer(long order, QueueState queue) : ObjectTimer(order)
{
    public override NamedObject Object => queue;
}
