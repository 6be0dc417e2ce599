using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The services of shared objects over one connection, and the mapping of their errors.</summary>
internal sealed class ObjectServices(CallInvoker invoker, CoordinatorCalls errors)
{
    public SessionService.SessionServiceClient Sessions { get; } = new(invoker);

    public QueueService.QueueServiceClient Queues { get; } = new(invoker);

    public PipeService.PipeServiceClient Pipes { get; } = new(invoker);

    public StateService.StateServiceClient State { get; } = new(invoker);

    public SyncService.SyncServiceClient Sync { get; } = new(invoker);

    public CoordinatorCalls Errors => errors;
}
