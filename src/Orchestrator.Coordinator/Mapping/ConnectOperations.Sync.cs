using Orchestrator.Core.Barriers;
using Orchestrator.Core.Conditions;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;
using Orchestrator.Core.Locks;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.Semaphores;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>The operations of <c>SyncService</c>.</summary>
internal static partial class ConnectOperations
{
    private static (ObjectCommand? Command, string Session) ToSyncCommand(Operation operation) => operation.RequestCase switch
    {
        Operation.RequestOneofCase.AcquireLock => (SyncOperations.ToCommand(operation.AcquireLock), operation.AcquireLock.SessionId),
        Operation.RequestOneofCase.ReleaseLock => (SyncOperations.ToCommand(operation.ReleaseLock), operation.ReleaseLock.SessionId),
        Operation.RequestOneofCase.AcquireSemaphore =>
            (SyncOperations.ToCommand(operation.AcquireSemaphore), operation.AcquireSemaphore.SessionId),
        Operation.RequestOneofCase.ReleaseSemaphore =>
            (SyncOperations.ToCommand(operation.ReleaseSemaphore), operation.ReleaseSemaphore.SessionId),
        Operation.RequestOneofCase.WaitEvent => (SyncOperations.ToCommand(operation.WaitEvent), operation.WaitEvent.SessionId),
        Operation.RequestOneofCase.SetEvent => (SyncOperations.ToCommand(operation.SetEvent), ""),
        Operation.RequestOneofCase.WaitCondition => (SyncOperations.ToCommand(operation.WaitCondition), operation.WaitCondition.SessionId),
        Operation.RequestOneofCase.NotifyCondition =>
            (SyncOperations.ToCommand(operation.NotifyCondition), operation.NotifyCondition.SessionId),
        Operation.RequestOneofCase.WaitBarrier => (SyncOperations.ToCommand(operation.WaitBarrier), operation.WaitBarrier.SessionId),
        Operation.RequestOneofCase.WaitLatch => (SyncOperations.ToCommand(operation.WaitLatch), operation.WaitLatch.SessionId),
        Operation.RequestOneofCase.CountDownLatch => (SyncOperations.ToCommand(operation.CountDownLatch), ""),
        Operation.RequestOneofCase.AcquirePermits =>
            (SyncOperations.ToCommand(operation.AcquirePermits), operation.AcquirePermits.SessionId),
        _ => ((ObjectCommand?)null, ""),
    };

    private static bool TryWriteSync(Outcome message, ObjectOutcome outcome)
    {
        switch (outcome)
        {
            case AcquireLockOutcome result:
                message.AcquireLock = SyncOperations.ToResponse(result);
                break;
            case ReleaseLockOutcome result:
                message.ReleaseLock = SyncOperations.ToResponse(result);
                break;
            case AcquireSemaphoreOutcome result:
                message.AcquireSemaphore = SyncOperations.ToResponse(result);
                break;
            case ReleaseSemaphoreOutcome result:
                message.ReleaseSemaphore = SyncOperations.ToResponse(result);
                break;
            case WaitEventOutcome result:
                message.WaitEvent = SyncOperations.ToResponse(result);
                break;
            case SetEventOutcome result:
                message.SetEvent = SyncOperations.ToResponse(result);
                break;
            case WaitConditionOutcome result:
                message.WaitCondition = SyncOperations.ToResponse(result);
                break;
            case NotifyConditionOutcome result:
                message.NotifyCondition = SyncOperations.ToResponse(result);
                break;
            case WaitBarrierOutcome result:
                message.WaitBarrier = SyncOperations.ToResponse(result);
                break;
            case WaitLatchOutcome result:
                message.WaitLatch = SyncOperations.ToResponse(result);
                break;
            case CountDownLatchOutcome result:
                message.CountDownLatch = SyncOperations.ToResponse(result);
                break;
            case AcquirePermitsOutcome result:
                message.AcquirePermits = SyncOperations.ToResponse(result);
                break;
            default:
                return false;
        }

        return true;
    }
}
