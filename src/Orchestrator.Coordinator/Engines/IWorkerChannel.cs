using Orchestrator.Core.Tasks;
using Orchestrator.Coordinator.Dispatch;

namespace Orchestrator.Coordinator.Engines;

/// <summary>The way to a worker, as the engine's host needs it. Called under the engine's lock, so the order is the engine's; <see cref="IKickable.Kick"/> follows.</summary>
internal interface IWorkerChannel : IKickable
{
    /// <summary>Queues attempts, in order.</summary>
    void Queue(ReadOnlySpan<AttemptAssignment> assignments);

    /// <summary>Queues a cancel or a request to give back.</summary>
    void Queue(in AttemptSignal signal);
}

/// <summary>What happens to worker processes by the engine's word.</summary>
internal interface IWorkerOrders
{
    /// <summary>Carries out an order; called after the engine's lock has been left.</summary>
    void Carry(WorkerOrder order);
}
