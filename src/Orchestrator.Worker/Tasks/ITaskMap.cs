using Orchestrator.Worker.Hosting;

namespace Orchestrator.Worker.Tasks;

/// <summary>Accepts mapped handlers: a <see cref="TaskHandlerRegistry"/> or a <see cref="WorkerBuilder"/>.</summary>
public interface ITaskMap
{
    /// <summary>The registry of mapped handlers.</summary>
    TaskHandlerRegistry Tasks { get; }
}
