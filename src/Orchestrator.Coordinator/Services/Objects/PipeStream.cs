using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;
using Orchestrator.Protocol;
using Orchestrator.V1;
using PipeStatus = Orchestrator.Core.Pipes.PipeStatus;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// An attachment to one end of a pipe. Backpressure: a full pipe stops the reading of the sender's stream, and a slow reader lets the pipe
/// fill up.
/// </summary>
internal sealed class PipeStream(
    ObjectEngineHost host, DirectPipes sockets, ClientObjectQuota client, AttachPipeRequest first, string sessionId,
    IAsyncStreamReader<AttachPipeRequest> requests, IServerStreamWriter<AttachPipeResponse> responses)
{
    private readonly Core.Pipes.PipeEnd _end = PipeOperations.ToEnd(first.End);

    public async Task RunAsync(ServerCallContext context, CancellationToken ending)
    {
        var attached = await ObjectCall.RunAsync<AttachPipeEndOutcome>(
            host, new AttachPipeEnd(first.Pipe, _end) { Client = client }, sessionId, ending);
        if (attached.Pipe.Spec.Direct || first.Direct)
        {
            await new DirectPipeStream(host, sockets, attached.Pipe, first, sessionId).RunAsync(context, requests, responses, ending);
            return;
        }

        // Once the request stream has ended, the pipe's end is closed and receives nothing more.
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(ending);
        await ObjectStreams.BothAsync(token => SendAllAsync(closed, token), token => ReceiveAllAsync(closed, token), ending);
    }

    private async Task SendAllAsync(CancellationTokenSource closed, CancellationToken ending)
    {
        await SendAsync(first, ending);
        while (await requests.MoveNext(ending))
            await SendAsync(requests.Current, ending);
        await closed.CancelAsync();
    }

    private async Task SendAsync(AttachPipeRequest request, CancellationToken ending)
    {
        if (request != first && ((request.Pipe.Length > 0 && request.Pipe != first.Pipe)
            || (request.End != V1.PipeEnd.Unspecified && request.End != first.End)))
            throw RpcErrors.Invalid("pipe",
                $"the stream is attached to end {first.End} of \"{first.Pipe}\", as its first message said, and cannot turn to another");
        if (request.Messages.Count == 0)
            return;
        var send = new SendMessages(first.Pipe, _end, PayloadMapper.ToContents(request.Messages, "messages")) { Client = client };
        var outcome = await ObjectCall.RunAsync<SendOutcome>(host, send, sessionId, ending);
        if (outcome.Status == PipeStatus.BrokenPipe)
            throw RpcErrors.Create(
                ErrorReason.BrokenPipe,
                $"the other end of pipe \"{first.Pipe}\" is closed: {outcome.Sent} of the last " +
                $"{request.Messages.Count} messages were sent");
    }

    private async Task ReceiveAllAsync(CancellationTokenSource closed, CancellationToken ending)
    {
        if (_end == Core.Pipes.PipeEnd.B && host.Read((view, _) => view.FindPipe(first.Pipe)) is { Spec.Duplex: false })
            return;
        using var receiving = CancellationTokenSource.CreateLinkedTokenSource(closed.Token, ending);
        try
        {
            while (await ReceiveAsync(receiving.Token, ending))
            {
            }
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            // The client has closed its side.
        }
    }

    private async Task<bool> ReceiveAsync(CancellationToken receiving, CancellationToken ending)
    {
        var receive = new ReceiveMessages(
            first.Pipe, _end, ProtocolConstants.MaxItemsPerMessage)
        { MaxBytes = ProtocolConstants.TargetMessageBytes, Client = client };
        var outcome = await ObjectCall.RunAsync<ReceiveOutcome>(host, receive, sessionId, receiving);
        if (outcome.Status == PipeStatus.EndOfFile)
        {
            await responses.WriteAsync(new AttachPipeResponse { EndOfFile = true }, ending);
            return false;
        }

        // Messages that cannot be written are lost with this end, which is then closed.
        await responses.WriteAsync(new AttachPipeResponse { Messages = { outcome.Messages.Select(PayloadMapper.ToPayload) } }, ending);
        return true;
    }
}
