using Grpc.Core;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Coordinator.Errors;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>QueueService</c>: each unary call is one command.</summary>
internal sealed class QueueServiceAdapter(ObjectEngineHost host) : QueueService.QueueServiceBase
{
    public override async Task<CreateQueueResponse> CreateQueue(CreateQueueRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<CreateQueueOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<PutResponse> Put(PutRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<PutOutcome>(QueueOperations.ToCommand(request), request.SessionId, context));

    public override async Task<GetResponse> Get(GetRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<GetOutcome>(QueueOperations.ToCommand(request), request.SessionId, context));

    public override async Task<SettleResponse> Settle(SettleRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<SettleOutcome>(QueueOperations.ToCommand(request), request.SessionId, context));

    public override async Task<MarkDoneResponse> MarkDone(MarkDoneRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<MarkDoneOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<JoinResponse> Join(JoinRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<JoinOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<ShutDownQueueResponse> ShutDownQueue(ShutDownQueueRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await RunAsync<ShutDownQueueOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<DeleteQueueResponse> DeleteQueue(DeleteQueueRequest request, ServerCallContext context)
    {
        await RunAsync<Done>(QueueOperations.ToCommand(request), "", context);
        return new DeleteQueueResponse();
    }

    public override Task<GetQueueResponse> GetQueue(GetQueueRequest request, ServerCallContext context) =>
        host.Read((engine, now) => engine.FindQueue(request.Queue, now)) is { } queue
            ? Task.FromResult(new GetQueueResponse { Queue = QueueOperations.ToMessage(queue) })
            : throw Failures.Create(ErrorReason.NotFound, $"there is no queue \"{request.Queue}\"; create it with CreateQueue");

    public override Task<ListQueuesResponse> ListQueues(ListQueuesRequest request, ServerCallContext context)
    {
        var size = Contents.PageSize(request.PageSize);
        var queues = host.Read((engine, now) => engine.ListQueues(request.PageToken, size + 1, now));
        return Task.FromResult(new ListQueuesResponse
        {
            Queues = { queues.Take(size).Select(QueueOperations.ToMessage) },
            NextPageToken = queues.Count > size ? queues[size - 1].Spec.Name : "",
        });
    }

    private Task<T> RunAsync<T>(ObjectCommand command, string sessionId, ServerCallContext context)
        where T : ObjectOutcome => ObjectCall.RunAsync<T>(host, command, sessionId, context.CancellationToken);
}
