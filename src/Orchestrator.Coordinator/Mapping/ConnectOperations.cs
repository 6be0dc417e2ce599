using Orchestrator.Core.Kernel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>
/// The operations of a Connect stream: each carries the request of the unary call of the same name. One file per group of services.
/// </summary>
internal static partial class ConnectOperations
{
    /// <summary>
    /// The command and the session that the operation names, or the stream's own where it names none. Null if it holds no request known to
    /// this version.
    /// </summary>
    /// <exception cref="RequestValidationException">The request itself is invalid.</exception>
    public static ObjectRequest? ToRequest(Operation operation, string streamSession)
    {
        var (command, session) = ToSyncCommand(operation);
        if (command is null)
            (command, session) = ToDataCommand(operation);
        return command is null ? null : new ObjectRequest(command, session.Length > 0 ? session : streamSession);
    }

    /// <summary>Converts an outcome to its wire form on the stream.</summary>
    public static Outcome ToOutcome(ulong operationId, ObjectOutcome outcome)
    {
        var message = new Outcome { OperationId = operationId };
        if (outcome is ObjectError error)
            message.Error = ToError(error);
        else if (!TryWriteSync(message, outcome) && !TryWriteData(message, outcome))
            throw new InvalidOperationException($"{outcome.GetType().Name} is the outcome of no operation of a Connect stream");
        return message;
    }

    public static OperationError ToError(ObjectError error)
    {
        var reason = (ErrorReason)(int)error.Reason;
        return new OperationError
        {
            Code = (int)RpcErrors.StatusOf(reason),
            Reason = reason,
            Message = error.Message,
            Cycle = error.Cycle is { } cycle ? WaitEdges.ToMessage(cycle) : null,
        };
    }
}
