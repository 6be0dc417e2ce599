using Grpc.Core;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Core.Sync;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>SyncService</c>: each call is one command.</summary>
internal sealed class SyncServiceAdapter(ObjectEngineHost host) : SyncService.SyncServiceBase
{
    public override async Task<AcquireLockResponse> AcquireLock(AcquireLockRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await ObjectCall.RunAsync<AcquireLockOutcome>(
            host, SyncOperations.ToCommand(request), request.SessionId, context.CancellationToken));

    public override async Task<ReleaseLockResponse> ReleaseLock(ReleaseLockRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await ObjectCall.RunAsync<ReleaseLockOutcome>(
            host, SyncOperations.ToCommand(request), request.SessionId, context.CancellationToken));
}
