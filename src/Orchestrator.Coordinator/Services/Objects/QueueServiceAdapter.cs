using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Queues;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>QueueService</c>: each unary call is one command; streams put and get in batches.</summary>
internal sealed class QueueServiceAdapter(ObjectEngineHost host, ObjectStreams streams) : QueueService.QueueServiceBase
{
    private const int DefaultPeeked = 10;
    private const int MaxPeeked = 20;
    private const int MaxPeekedBytes = 1 << 20;

    public override async Task<CreateQueueResponse> CreateQueue(CreateQueueRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await host.RunAsync<CreateQueueOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<PutResponse> Put(PutRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await host.RunAsync<PutOutcome>(QueueOperations.ToCommand(request), request.SessionId, context));

    public override async Task<GetResponse> Get(GetRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(request.Leased
            ? await host.RunAsync<GetOutcome>(QueueOperations.ToCommand(request), request.SessionId, context)
            : await host.TakeAsync<GetOutcome>(QueueOperations.ToCommand(request), request.SessionId, context));

    public override async Task<SettleResponse> Settle(SettleRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await host.RunAsync<SettleOutcome>(QueueOperations.ToCommand(request), request.SessionId, context));

    public override async Task<MarkDoneResponse> MarkDone(MarkDoneRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await host.RunAsync<MarkDoneOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<JoinResponse> Join(JoinRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await host.RunAsync<JoinOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<ShutDownQueueResponse> ShutDownQueue(ShutDownQueueRequest request, ServerCallContext context) =>
        QueueOperations.ToResponse(await host.RunAsync<ShutDownQueueOutcome>(QueueOperations.ToCommand(request), "", context));

    public override async Task<DeleteQueueResponse> DeleteQueue(DeleteQueueRequest request, ServerCallContext context)
    {
        await host.RunAsync<Done>(QueueOperations.ToCommand(request), "", context);
        return new DeleteQueueResponse();
    }

    public override Task<GetQueueResponse> GetQueue(GetQueueRequest request, ServerCallContext context) =>
        host.Read((view, now) => view.FindQueue(request.Queue, now)) is { } queue
            ? Task.FromResult(new GetQueueResponse { Queue = QueueOperations.ToMessage(queue) })
            : throw NoSuchQueue(request.Queue);

    public override Task<ListQueuesResponse> ListQueues(ListQueuesRequest request, ServerCallContext context)
    {
        var size = PayloadMapper.PageSize(request.PageSize);
        var queues = host.Read((view, now) => view.ListQueues(request.PageToken, size + 1, now)).Select(QueueOperations.ToMessage)
            .ToArray();
        var fitting = Pages.Fitting(queues, size);
        return Task.FromResult(new ListQueuesResponse
        {
            Queues = { queues.Take(fitting) },
            NextPageToken = queues.Length > fitting ? queues[fitting - 1].Spec.Name : "",
        });
    }

    public override Task<PeekQueueResponse> PeekQueue(PeekQueueRequest request, ServerCallContext context)
    {
        if (request.MaxItems is < 0 or > MaxPeeked)
            throw RpcErrors.Invalid("max_items", $"{request.MaxItems} is not between 0 and {MaxPeeked}");
        var items = host.Read((view, _) => view.PeekQueue(request.Queue, request.MaxItems == 0 ? DefaultPeeked : request.MaxItems))
            ?? throw NoSuchQueue(request.Queue);
        var response = new PeekQueueResponse();
        var bytes = 0L;
        foreach (var item in items)
        {
            bytes += item.Body.Bytes;
            if (bytes > MaxPeekedBytes && response.Items.Count > 0)
                break;
            response.Items.Add(QueueOperations.ToMessage(item));
        }

        return Task.FromResult(response);
    }

    public override Task Produce(
        IAsyncStreamReader<ProduceRequest> requestStream, IServerStreamWriter<ProduceResponse> responseStream, ServerCallContext context) =>
        streams.RunAsync(context, async ending =>
        {
            var client = ClientQuota.Of(context).Objects;
            var queue = "";
            var total = 0L;
            while (await requestStream.MoveNext(ending))
            {
                var request = requestStream.Current;
                if (queue.Length > 0 && request.Queue.Length > 0 && request.Queue != queue)
                    throw RpcErrors.Invalid(
                        "queue", $"the stream produces for \"{queue}\", as its first message said, and cannot turn to \"{request.Queue}\"");
                queue = queue.Length > 0 ? queue : request.Queue;
                if (request.Items.Count == 0)
                {
                    // An opening message or a probe without items: the answer states whether a put would be possible.
                    var info = host.Read((view, now) => view.FindQueue(queue, now)) ?? throw NoSuchQueue(queue);
                    var status = info.IsShutDown ? V1.WaitStatus.ShutDown : V1.WaitStatus.Ok;
                    await responseStream.WriteAsync(new ProduceResponse { AcceptedTotal = total, Status = status }, ending);
                    if (info.IsShutDown)
                        return;
                    continue;
                }

                // While the queue is full, the next message is not read.
                var outcome = await ObjectCall.RunAsync<PutOutcome>(
                    host, new PutItems(queue, QueueOperations.ToItems(request.Items)) { Client = client }, "", ending);
                total += outcome.Accepted;
                await responseStream.WriteAsync(
                    new ProduceResponse { AcceptedTotal = total, Status = (V1.WaitStatus)(int)outcome.Status }, ending);
                if (outcome.Status == Core.Kernel.WaitStatus.ShutDown)
                    return;
            }
        });

    public override Task Consume(
        IAsyncStreamReader<ConsumeRequest> requestStream, IServerStreamWriter<ConsumeResponse> responseStream, ServerCallContext context) =>
        streams.RunAsync(context, async opening =>
        {
            if (!await requestStream.MoveNext(opening))
                throw RpcErrors.Invalid(
                    "requests", "the stream ended before its first message; send at least one ConsumeRequest, with the queue and credits");
            var first = requestStream.Current;
            var client = ClientQuota.Of(context).Objects;
            if (host.Read((view, now) => view.FindQueue(first.Queue, now)) is null)
                throw NoSuchQueue(first.Queue);
            if (first.SessionId.Length > 0)
                await RunAsync(first.SessionId, opening);
            else
                await streams.RunWithSessionAsync(context, $"consumer of {first.Queue}", RunAsync);

            async Task RunAsync(string session, CancellationToken ending)
            {
                using var stream = new ConsumeStream(host, client, first, session, requestStream, responseStream);
                await stream.RunAsync(ending);
            }
        });

    private static RpcException NoSuchQueue(string name) =>
        RpcErrors.Create(ErrorReason.NotFound, $"there is no queue \"{name}\"; create it with CreateQueue");
}
