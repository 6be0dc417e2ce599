using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Objects;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary><c>SessionService</c>: unary calls for sessions, and the pipelined stream.</summary>
internal sealed class SessionServiceAdapter(ObjectEngineHost host, ConnectRegistry streams) : SessionService.SessionServiceBase
{
    public override async Task<CreateSessionResponse> CreateSession(CreateSessionRequest request, ServerCallContext context)
    {
        var created = await host.RunAsync<CreateSessionOutcome>(ToCommand(request), "", context);
        return new CreateSessionResponse { SessionId = created.Created.Id, Ttl = ProtoTime.ToDuration(created.Created.Ttl) };
    }

    public override async Task<KeepSessionAliveResponse> KeepSessionAlive(KeepSessionAliveRequest request, ServerCallContext context)
    {
        var alive = await host.RunAsync<KeepSessionAliveOutcome>(new KeepSessionAlive(), request.SessionId, context);
        return new KeepSessionAliveResponse { Ttl = ProtoTime.ToDuration(alive.Ttl) };
    }

    public override async Task<CloseSessionResponse> CloseSession(CloseSessionRequest request, ServerCallContext context)
    {
        await host.RunAsync<Done>(new CloseSession(), request.SessionId, context);
        return new CloseSessionResponse();
    }

    public override async Task Connect(
        IAsyncStreamReader<ConnectRequest> requestStream, IServerStreamWriter<ConnectResponse> responseStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken))
            throw RpcErrors.Invalid(
                "requests",
                "the stream ended before its first message; send at least one ConnectRequest, with a session_id to resume or none to " +
                "create a session");
        var stream = new ConnectStream(responseStream) { Client = ClientQuota.Of(context).Objects };
        var session = await OpenAsync(requestStream.Current, stream, context);
        var operations = new ConnectSession(host, stream, session);
        using var registration = streams.Add(stream);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, streams.Stopping);
        try
        {
            stream.Flush();
            do
            {
                operations.Take(requestStream.Current);
                await stream.WaitForRoomAsync().WaitAsync(ending.Token);
            }
            while (await requestStream.MoveNext(ending.Token));
            // Requests sent before the client closed its side are still answered, including waits.
            await stream.WaitUntilAnsweredAsync().WaitAsync(ending.Token);
        }
        catch (OperationCanceledException)
            when (streams.Stopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw RpcErrors.Create(ErrorReason.Draining, "the coordinator stops");
        }
        finally
        {
            operations.Close();
            host.Apply(new ObjectRequest(new DetachSession { Session = session }));
            await stream.CloseAsync(context.CancellationToken);
        }
    }

    private static CreateSession ToCommand(CreateSessionRequest? request) =>
        new(request?.DisplayName ?? "", ProtoTime.ToTimeSpan(request?.Ttl));

    /// <summary>
    /// Resumes the session that the first message names, or creates one; from here on it does not expire while the stream is open.
    /// </summary>
    private async Task<Session> OpenAsync(ConnectRequest first, ConnectStream stream, ServerCallContext context)
    {
        if (first.SessionId.Length == 0)
        {
            var created = await host.RunAsync<CreateSessionOutcome>(ToCommand(first.Create), "", context);
            first.SessionId = created.Created.Id;
        }
        else if (first.Create is not null)
        {
            throw RpcErrors.Invalid(
                "create", $"create is for a new session, and session_id names {first.SessionId} to resume; send one of the two");
        }

        await host.RunAsync<Done>(new AttachSession(), first.SessionId, context);
        var session = host.Read((view, _) => view.FindSession(first.SessionId))
            ?? throw RpcErrors.From(ObjectError.UnknownSession(first.SessionId));
        stream.Open(session);
        // After the stream knows its session: its first message, which names it, may be a notice.
        await host.RunAsync<Done>(new ReceiveNotices(stream), first.SessionId, context);
        return session;
    }
}
