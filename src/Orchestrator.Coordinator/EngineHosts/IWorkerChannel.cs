using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// The channel to a worker that the engine's host uses. Called under the engine's lock, which fixes the order;
/// <see cref="IFlushable.Flush"/> follows.
/// </summary>
internal interface IWorkerChannel : IFlushable
{
    /// <summary>Queues attempts, in order.</summary>
    void Queue(ReadOnlySpan<AttemptAssignment> assignments);

    /// <summary>Queues a cancel or a request to return an attempt.</summary>
    void Queue(in AttemptSignal signal);
}

/// <summary>Executes the engine's orders about worker processes.</summary>
internal interface IWorkerOrders
{
    /// <summary>Carries out an order; called after the engine's lock has been released.</summary>
    void Execute(WorkerOrder order);
}

/// <summary>Settles the holds of ended attempts.</summary>
internal interface IAttemptObserver
{
    /// <summary>These attempts have ended at their worker.</summary>
    void OnEnded(IReadOnlyList<AttemptReport> attempts);

    /// <summary>A worker process has ended.</summary>
    /// <param name="worker">Such as <c>worker-1#3</c>.</param>
    /// <param name="cause">The cause, such as "was killed by SIGKILL (9)".</param>
    void OnWorkerLost(string worker, string cause);
}
