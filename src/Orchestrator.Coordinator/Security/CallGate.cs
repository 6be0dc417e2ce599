using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Errors;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Security;

/// <summary>Every call passes here: who calls, and whether that one may. A worker's requests are read too, for the sessions that they name.</summary>
internal sealed class CallGate(CallerFinder callers, TokenStore tokens, WorkerSessions sessions, ClientAccounts accounts) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        if (Check(context, out _) is { } worker)
            sessions.Check(request, worker);
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(Check(context, out _) is { } worker ? sessions.Check(requestStream, worker) : requestStream, context);

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (Check(context, out var account) is { } worker)
            sessions.Check(request, worker);
        return account is null
            ? UnlessGoneAsync(continuation(request, responseStream, context), context, reads: false)
            : account.RunAsync(() => UnlessGoneAsync(continuation(request, responseStream, context), context, reads: false));
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (Check(context, out var account) is { } worker)
            requestStream = sessions.Check(requestStream, worker);
        return account is null
            ? UnlessGoneAsync(continuation(requestStream, responseStream, context), context, reads: true)
            : account.RunAsync(() => UnlessGoneAsync(continuation(requestStream, responseStream, context), context, reads: true));
    }

    /// <summary>
    /// A client that hung up, was cut off or is out of time is no error of the server. A read of a reset stream fails before the call is known to be cancelled; a read or
    /// a write that begins after that is refused as an invalid operation.
    /// </summary>
    private static async Task UnlessGoneAsync(Task call, ServerCallContext context, bool reads)
    {
        try
        {
            await call;
        }
        catch (Exception exception) when ((reads && exception is IOException) || (exception is IOException or InvalidOperationException && IsOver(context)))
        {
            // Nobody reads it.
            throw new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "the client is gone", exception));
        }
    }

    // The call's own token fires for its deadline too, but later than the connection's when the client is gone.
    private static bool IsOver(ServerCallContext context) =>
        context.CancellationToken.IsCancellationRequested || context.GetHttpContext().RequestAborted.IsCancellationRequested;

    /// <summary>Throws unless the caller may call this; the worker whose handler calls, if it is one.</summary>
    private WorkerIdentity? Check(ServerCallContext context, out ClientAccount? account)
    {
        account = null;
        if (AccessRules.IsOpen(context.Method))
            return null;
        var http = context.GetHttpContext();
        var known = Identify(http);
        var caller = known.Caller;
        if (AccessRules.Find(context.Method) is not { } rule)
            throw Failures.Create(ErrorReason.PermissionDenied, $"nobody may call {context.Method}: it is in no rule of this coordinator");
        account = known.Account;
        http.Features.Set(account);
        if (caller.Worker is { } worker)
        {
            return rule.Workers
                ? worker
                : throw Failures.Create(
                    ErrorReason.PermissionDenied, $"a worker's token is for sessions, queues, pipes, state and synchronization, not for {context.Method}");
        }

        return caller.Role >= rule.Least
            ? null
            : throw Failures.Create(
                ErrorReason.PermissionDenied,
                $"{context.Method} needs the role {RoleNames.Of(rule.Least)}, and {caller.Name} has {RoleNames.Of(caller.Role)}");
    }

    private KnownCall Identify(HttpContext http)
    {
        var memo = http.Features.Get<ConnectionMemo>();
        var authorization = (string?)http.Request.Headers.Authorization;
        // Read before the tokens are: what changes meanwhile makes the memo stale, never the other way round.
        var version = tokens.Version;
        if (memo?.Last is { } last && last.Version == version && last.Authorization == authorization && !tokens.HasExpired(last.Caller))
            return last;
        var caller = callers.Find(http, out var fault) ?? throw Failures.Create(ErrorReason.Unauthenticated, fault!);
        var known = new KnownCall(authorization, version, caller, accounts.Of(http, caller));
        if (memo is not null)
            memo.Last = known;
        return known;
    }
}
