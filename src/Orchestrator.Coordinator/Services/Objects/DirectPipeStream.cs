using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Pipes;
using Orchestrator.V1;
using PipeInfo = Orchestrator.Core.Pipes.PipeInfo;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>An attachment to one end of a direct pipe: hands over the end's socket, and closes it when the attachment ends.</summary>
/// <param name="host">Runs the commands.</param>
/// <param name="sockets">The sockets.</param>
/// <param name="pipe">The pipe.</param>
/// <param name="first">Names the attached end.</param>
/// <param name="sessionId">The session that it belongs to.</param>
internal sealed class DirectPipeStream(
    ObjectEngineHost host, DirectPipes sockets, PipeInfo pipe, AttachPipeRequest first, string sessionId)
{
    private readonly Core.Pipes.PipeEnd _end = PipeOperations.ToEnd(first.End);

    /// <summary>Runs until the client closes the end, its connection breaks, or the end is closed elsewhere.</summary>
    /// <exception cref="RpcException">The socket cannot be handed over, or the end was closed elsewhere.</exception>
    public async Task RunAsync(
        ServerCallContext context, IAsyncStreamReader<AttachPipeRequest> requests, IServerStreamWriter<AttachPipeResponse> responses,
        CancellationToken ending)
    {
        try
        {
            HandOver(context);
        }
        catch (RpcException)
        {
            // The end has not been used, and stays open for another.
            await ObjectCall.RunAsync<Done>(host, new DetachPipeEnd(pipe.Spec.Name, _end), sessionId, ending);
            throw;
        }

        try
        {
            await responses.WriteAsync(new AttachPipeResponse { Pipe = PipeOperations.ToMessage(pipe) }, ending);
            using var closed = CancellationTokenSource.CreateLinkedTokenSource(ending);
            await ObjectStreams.BothAsync(
                token => AwaitCloseAsync(requests, closed, token), token => ReportPeerAsync(responses, closed, token), ending);
        }
        finally
        {
            // First the engine, so that the sockets of a pipe whose ends are both closed are dropped.
            host.Apply(new ObjectRequest(new ClosePipeEnd(pipe.Spec.Name, _end), sessionId));
            sockets.Close(pipe, _end);
        }
    }

    private void HandOver(ServerCallContext context)
    {
        if (!pipe.Spec.Direct)
        {
            throw RpcErrors.Invalid(
                "direct", $"pipe \"{pipe.Spec.Name}\" is not direct: leave direct false here, or create the pipe with direct true");
        }

        if (!first.Direct)
        {
            throw RpcErrors.Invalid(
                "direct", $"pipe \"{pipe.Spec.Name}\" is direct: set direct true, and take the end's socket from the answer");
        }

        if (first.Messages.Count > 0)
            throw NoMessages();
        if (context is not TransportCallContext local)
        {
            throw RpcErrors.Invalid(
                "pipe", $"pipe \"{pipe.Spec.Name}\" is direct: its ends are attached over the local transport, on its machine");
        }

        try
        {
            local.SendDescriptor(sockets.Get(pipe, _end));
        }
        catch (IOException exception)
        {
            throw RpcErrors.Create(
                ErrorReason.LimitExceeded, $"the socket of pipe \"{pipe.Spec.Name}\" cannot be given: {exception.Message}");
        }
    }

    private async Task AwaitCloseAsync(
        IAsyncStreamReader<AttachPipeRequest> requests, CancellationTokenSource closed, CancellationToken ending)
    {
        if (await requests.MoveNext(ending))
            throw NoMessages();
        await closed.CancelAsync();
    }

    private async Task ReportPeerAsync(
        IServerStreamWriter<AttachPipeResponse> responses, CancellationTokenSource closed, CancellationToken ending)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(closed.Token, ending);
        try
        {
            await ObjectCall.RunAsync<ReceiveOutcome>(host, new AwaitPeerClosed(pipe.Spec.Name, _end), sessionId, waiting.Token);
            // It may never have been attached: then only this ends what is sent to it.
            sockets.Close(pipe, _end == Core.Pipes.PipeEnd.A ? Core.Pipes.PipeEnd.B : Core.Pipes.PipeEnd.A);
            await responses.WriteAsync(new AttachPipeResponse { EndOfFile = true }, ending);
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            // The client has closed its end.
        }
    }

    private RpcException NoMessages() => RpcErrors.Invalid(
        "messages", $"pipe \"{pipe.Spec.Name}\" is direct: its messages go over the socket, and none over the stream");
}
