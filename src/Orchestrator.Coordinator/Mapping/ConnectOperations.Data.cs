using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>The operations of <c>QueueService</c>, <c>PipeService</c> and <c>StateService</c>.</summary>
internal static partial class ConnectOperations
{
    /// <summary>
    /// A query that changes nothing and does not wait, to run under the engine's lock; null if the operation is not a query.
    /// </summary>
    public static Func<ObjectEngineView, TimeSpan, ObjectOutcome>? ToRead(Operation operation) => operation.RequestCase switch
    {
        Operation.RequestOneofCase.ReadDict => (view, now) => StateReads.Read(view, operation.ReadDict, now),
        Operation.RequestOneofCase.ReadList => (view, _) => StateReads.Read(view, operation.ReadList),
        Operation.RequestOneofCase.ReadValue => (view, _) => StateReads.Read(view, operation.ReadValue),
        Operation.RequestOneofCase.ReadArray => (view, _) => StateReads.Read(view, operation.ReadArray),
        _ => null,
    };

    private static (ObjectCommand? Command, string Session) ToDataCommand(Operation operation) => operation.RequestCase switch
    {
        Operation.RequestOneofCase.Put => (QueueOperations.ToCommand(operation.Put), operation.Put.SessionId),
        Operation.RequestOneofCase.Get => (QueueOperations.ToCommand(operation.Get), operation.Get.SessionId),
        Operation.RequestOneofCase.Settle => (QueueOperations.ToCommand(operation.Settle), operation.Settle.SessionId),
        Operation.RequestOneofCase.Join => (QueueOperations.ToCommand(operation.Join), ""),
        Operation.RequestOneofCase.Send => (PipeOperations.ToCommand(operation.Send), operation.Send.SessionId),
        Operation.RequestOneofCase.Receive => (PipeOperations.ToCommand(operation.Receive), operation.Receive.SessionId),
        Operation.RequestOneofCase.ClosePipeEnd => (PipeOperations.ToCommand(operation.ClosePipeEnd), operation.ClosePipeEnd.SessionId),
        Operation.RequestOneofCase.UpdateDict => (StateOperations.ToCommand(operation.UpdateDict), operation.UpdateDict.SessionId),
        Operation.RequestOneofCase.UpdateList => (StateOperations.ToCommand(operation.UpdateList), operation.UpdateList.SessionId),
        Operation.RequestOneofCase.UpdateValue => (StateOperations.ToCommand(operation.UpdateValue), operation.UpdateValue.SessionId),
        Operation.RequestOneofCase.UpdateArray => (StateOperations.ToCommand(operation.UpdateArray), operation.UpdateArray.SessionId),
        _ => (null, ""),
    };

    private static bool TryWriteData(Outcome message, ObjectOutcome outcome)
    {
        switch (outcome)
        {
            case PutOutcome result:
                message.Put = QueueOperations.ToResponse(result);
                break;
            case GetOutcome result:
                message.Get = QueueOperations.ToResponse(result);
                break;
            case SettleOutcome result:
                message.Settle = QueueOperations.ToResponse(result);
                break;
            case JoinOutcome result:
                message.Join = QueueOperations.ToResponse(result);
                break;
            case SendOutcome result:
                message.Send = PipeOperations.ToResponse(result);
                break;
            case ReceiveOutcome result:
                message.Receive = PipeOperations.ToResponse(result);
                break;
            case Done:
                // Closing an end is the one operation with an empty outcome.
                message.ClosePipeEnd = new ClosePipeEndResponse();
                break;
            case UpdateDictOutcome result:
                message.UpdateDict = StateOperations.ToResponse(result);
                break;
            case UpdateListOutcome result:
                message.UpdateList = StateOperations.ToResponse(result);
                break;
            case UpdateValueOutcome result:
                message.UpdateValue = StateOperations.ToResponse(result);
                break;
            case UpdateArrayOutcome result:
                message.UpdateArray = StateOperations.ToResponse(result);
                break;
            case DictPage result:
                message.ReadDict = StateReads.ToResponse(result);
                break;
            case ListPage result:
                message.ReadList = StateReads.ToResponse(result);
                break;
            case ValueReading result:
                message.ReadValue = StateReads.ToResponse(result);
                break;
            case ArrayPage result:
                message.ReadArray = StateReads.ToResponse(result);
                break;
            default:
                return false;
        }

        return true;
    }
}
