using Orchestrator.Core.Sync;
using Orchestrator.V1;
using LockMode = Orchestrator.Core.Sync.LockMode;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>Requests of <c>SyncService</c> as commands, and outcomes as its responses.</summary>
internal static class SyncOperations
{
    public static AcquireLock ToCommand(AcquireLockRequest request) => new(
        request.Lock,
        request.Mode == V1.LockMode.Unspecified ? LockMode.Plain : (LockMode)Math.Clamp((int)request.Mode, 0, byte.MaxValue))
    {
        Timeout = Times.ToTimeSpan(request.Timeout),
        Lease = Times.ToTimeSpan(request.Lease),
    };

    public static AcquireLockResponse ToResponse(AcquireLockOutcome outcome) => new()
    {
        Status = (WaitStatus)(int)outcome.Status,
        FencingToken = outcome.FencingToken,
        SessionId = outcome.Session?.Id ?? "",
        Depth = outcome.Depth,
    };

    public static ReleaseLock ToCommand(ReleaseLockRequest request) => new(request.Lock);

    public static ReleaseLockResponse ToResponse(ReleaseLockOutcome outcome) => new() { Depth = outcome.Depth };
}
