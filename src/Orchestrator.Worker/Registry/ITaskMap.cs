namespace Orchestrator.Worker;

/// <summary>Anything that handlers can be mapped on: a <see cref="TaskHandlerRegistry"/> or a <see cref="WorkerBuilder"/>.</summary>
public interface ITaskMap
{
    /// <summary>Where mapped handlers go.</summary>
    TaskHandlerRegistry Tasks { get; }
}
