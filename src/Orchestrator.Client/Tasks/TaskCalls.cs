using Orchestrator.Client.Connection;
using Orchestrator.Client.Contract;

namespace Orchestrator.Client.Tasks;

/// <summary>What handles, maps and reopened streams need of their client.</summary>
/// <param name="contract">The calls.</param>
/// <param name="options">The client's options.</param>
/// <param name="owner">The public type that an <see cref="ObjectDisposedException"/> names.</param>
internal sealed class TaskCalls(ContractClient contract, OrchestratorClientOptions options, Type owner)
{
    public ContractClient Contract => contract;

    public OrchestratorClientOptions Options => options;

    public Type Owner => owner;
}
