using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>PipeService</c>: each unary call is one command.</summary>
internal sealed class PipeServiceAdapter(ObjectEngineHost host, DirectPipes sockets, ObjectStreams streams) : PipeService.PipeServiceBase
{
    public override async Task<CreatePipeResponse> CreatePipe(CreatePipeRequest request, ServerCallContext context) =>
        PipeOperations.ToResponse(await host.RunAsync<CreatePipeOutcome>(PipeOperations.ToCommand(request), "", context));

    public override async Task<SendResponse> Send(SendRequest request, ServerCallContext context) =>
        PipeOperations.ToResponse(await host.RunAsync<SendOutcome>(PipeOperations.ToCommand(request), request.SessionId, context));

    public override async Task<ReceiveResponse> Receive(ReceiveRequest request, ServerCallContext context) =>
        PipeOperations.ToResponse(await host.TakeAsync<ReceiveOutcome>(PipeOperations.ToCommand(request), request.SessionId, context));

    public override async Task<ClosePipeEndResponse> ClosePipeEnd(ClosePipeEndRequest request, ServerCallContext context)
    {
        await host.RunAsync<Done>(PipeOperations.ToCommand(request), request.SessionId, context);
        return new ClosePipeEndResponse();
    }

    public override Task<ListPipesResponse> ListPipes(ListPipesRequest request, ServerCallContext context)
    {
        var size = PayloadMapper.PageSize(request.PageSize);
        var pipes = host.Read((view, _) => view.ListPipes(request.PageToken, size + 1)).Select(PipeOperations.ToMessage).ToArray();
        var fitting = Pages.Fitting(pipes, size);
        return Task.FromResult(new ListPipesResponse
        {
            Pipes = { pipes.Take(fitting) },
            NextPageToken = pipes.Length > fitting ? pipes[fitting - 1].Spec.Name : "",
        });
    }

    public override Task AttachPipe(
        IAsyncStreamReader<AttachPipeRequest> requestStream, IServerStreamWriter<AttachPipeResponse> responseStream,
        ServerCallContext context) =>
        streams.RunAsync(context, async opening =>
        {
            if (!await requestStream.MoveNext(opening))
                throw RpcErrors.Invalid("requests",
                    "the stream ended before its first message; send at least one AttachPipeRequest, with the pipe and the end");
            var first = requestStream.Current;
            await streams.RunWithSessionAsync(
                context,
                $"end of pipe {first.Pipe}",
                (session, ending) =>
                    new PipeStream(host, sockets, ClientQuota.Of(context).Objects, first, session, requestStream, responseStream)
                        .RunAsync(context, ending));
        });
}
