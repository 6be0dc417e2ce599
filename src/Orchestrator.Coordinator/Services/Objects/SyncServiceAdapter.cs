using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Barriers;
using Orchestrator.Core.Conditions;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.Semaphores;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>SyncService</c>: each call is one command.</summary>
internal sealed class SyncServiceAdapter(ObjectEngineHost host) : SyncService.SyncServiceBase
{
    public override async Task<AcquireLockResponse> AcquireLock(AcquireLockRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<AcquireLockOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<ReleaseLockResponse> ReleaseLock(ReleaseLockRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<ReleaseLockOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<AcquireSemaphoreResponse> AcquireSemaphore(AcquireSemaphoreRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(
            await host.RunAsync<AcquireSemaphoreOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<ReleaseSemaphoreResponse> ReleaseSemaphore(ReleaseSemaphoreRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(
            await host.RunAsync<ReleaseSemaphoreOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<WaitEventResponse> WaitEvent(WaitEventRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<WaitEventOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<SetEventResponse> SetEvent(SetEventRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<SetEventOutcome>(SyncOperations.ToCommand(request), "", context));

    public override async Task<WaitConditionResponse> WaitCondition(WaitConditionRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<WaitConditionOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<NotifyConditionResponse> NotifyCondition(NotifyConditionRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(
            await host.RunAsync<NotifyConditionOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<WaitBarrierResponse> WaitBarrier(WaitBarrierRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<WaitBarrierOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<ControlBarrierResponse> ControlBarrier(ControlBarrierRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<ControlBarrierOutcome>(SyncOperations.ToCommand(request), "", context));

    public override async Task<WaitLatchResponse> WaitLatch(WaitLatchRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<WaitLatchOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override async Task<CountDownLatchResponse> CountDownLatch(CountDownLatchRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<CountDownLatchOutcome>(SyncOperations.ToCommand(request), "", context));

    public override async Task<CreateRateLimiterResponse> CreateRateLimiter(CreateRateLimiterRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(await host.RunAsync<CreateRateLimiterOutcome>(SyncOperations.ToCommand(request), "", context));

    public override async Task<DeleteRateLimiterResponse> DeleteRateLimiter(DeleteRateLimiterRequest request, ServerCallContext context)
    {
        await host.RunAsync<Done>(SyncOperations.ToCommand(request), "", context);
        return new DeleteRateLimiterResponse();
    }

    public override async Task<AcquirePermitsResponse> AcquirePermits(AcquirePermitsRequest request, ServerCallContext context) =>
        SyncOperations.ToResponse(
            await host.RunAsync<AcquirePermitsOutcome>(SyncOperations.ToCommand(request), request.SessionId, context));

    public override Task<ListSyncResponse> ListSync(ListSyncRequest request, ServerCallContext context) =>
        host.Read((view, now) => view.ListSync(request.PageSize, request.PageToken, now)) switch
        {
            SyncPage page => Task.FromResult(SyncOperations.ToResponse(page)),
            var other => throw RpcErrors.From((ObjectError)other),
        };
}
