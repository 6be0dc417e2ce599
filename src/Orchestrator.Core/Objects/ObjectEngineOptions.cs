using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>The settings of the object engine.</summary>
public sealed record ObjectEngineOptions : KernelOptions
{
    /// <summary>Every fencing token is larger than this: where grants are durable, the largest token before the restart.</summary>
    public ulong LastFencingToken { get; init; }

    /// <summary>The settings of queues.</summary>
    public QueueOptions Queues { get; init; } = new();

    /// <summary>The settings of pipes.</summary>
    public PipeOptions Pipes { get; init; } = new();

    /// <summary>The settings of shared state.</summary>
    public StateOptions State { get; init; } = new();

    /// <summary>The clients with credentials of their own, whose objects are restored after a restart.</summary>
    public ClientObjectQuotaRegistry Clients { get; init; } = new();
}
