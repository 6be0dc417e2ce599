using Orchestrator.Coordinator.Engines;
using Orchestrator.Coordinator.Errors;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Sync;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>The operations of a Connect stream: each is the request of the unary call of its name.</summary>
internal static class ConnectOperations
{
    /// <summary>The command and the session that the operation names, or the stream's own where it names none. Null where it holds no request that this version knows.</summary>
    public static ObjectRequest? ToRequest(Operation operation, string streamSession)
    {
        (ObjectCommand? command, string session) = operation.RequestCase switch
        {
            Operation.RequestOneofCase.AcquireLock => (SyncOperations.ToCommand(operation.AcquireLock), operation.AcquireLock.SessionId),
            Operation.RequestOneofCase.ReleaseLock => (SyncOperations.ToCommand(operation.ReleaseLock), operation.ReleaseLock.SessionId),
            _ => ((ObjectCommand?)null, ""),
        };
        return command is null ? null : new ObjectRequest(command, session.Length > 0 ? session : streamSession);
    }

    /// <summary>An outcome as the stream carries it.</summary>
    public static Outcome ToOutcome(ulong operationId, ObjectOutcome outcome)
    {
        var message = new Outcome { OperationId = operationId };
        switch (outcome)
        {
            case ObjectError error:
                message.Error = ToError(error);
                break;
            case AcquireLockOutcome acquired:
                message.AcquireLock = SyncOperations.ToResponse(acquired);
                break;
            case ReleaseLockOutcome released:
                message.ReleaseLock = SyncOperations.ToResponse(released);
                break;
            default:
                throw new InvalidOperationException($"{outcome.GetType().Name} is the outcome of no operation of a Connect stream");
        }

        return message;
    }

    public static OperationError ToError(ObjectError error)
    {
        var reason = (ErrorReason)(int)error.Reason;
        return new OperationError { Code = (int)Failures.StatusOf(reason), Reason = reason, Message = error.Message };
    }
}
