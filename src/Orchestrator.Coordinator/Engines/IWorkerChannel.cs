using Orchestrator.Core.Tasks;
using Orchestrator.Coordinator.Dispatch;

namespace Orchestrator.Coordinator.Engines;

/// <summary>The way to a worker, as the engine's host needs it. Called under the engine's lock, so the order is the engine's; <see cref="IFlushable.Flush"/> follows.</summary>
internal interface IWorkerChannel : IFlushable
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
    void Execute(WorkerOrder order);
}

/// <summary>Who settles what attempts held.</summary>
internal interface IAttemptObserver
{
    /// <summary>These attempts have ended at their worker.</summary>
    void OnEnded(IReadOnlyList<AttemptReport> attempts);

    /// <summary>A worker process has ended.</summary>
    /// <param name="worker">Such as <c>worker-1#3</c>.</param>
    /// <param name="cause">How, as in "was killed by SIGKILL (9)".</param>
    void OnWorkerLost(string worker, string cause);
}
