using Orchestrator.Client;

namespace Orchestrator.App;

/// <summary>
/// The pool of a program that is coordinator and workers at once: what <c>ProcessPoolExecutor</c> is to Python. Use
/// <see cref="ExecutorPlaces.On"/> to run the same handlers in this process.
/// </summary>
public interface IOrchestratorPool : IExecutor
{
    /// <summary>The connection to the pool's coordinator: sessions, queues, locks, status.</summary>
    OrchestratorClient Client { get; }
}
