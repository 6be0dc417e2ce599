using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Protocol;

namespace Orchestrator.Coordinator.Security;

/// <summary>What services ask of a call, whatever transport carries it.</summary>
internal static class CallScope
{
    /// <summary>The quota that the call counts against; null for a method that needs no credential.</summary>
    public static ClientQuota? FindQuota(ServerCallContext context) => AuthenticationOf(context)?.Quota;

    /// <summary>The caller of a call that the gate has admitted.</summary>
    public static Principal CallerOf(ServerCallContext context) => AuthenticationOf(context)!.Caller;

    /// <summary>The worker that calls; null for a client.</summary>
    public static WorkerIdentity? WorkerOf(ServerCallContext context) => AuthenticationOf(context)?.Caller.Worker;

    /// <summary>
    /// The W3C trace context in a call's metadata; null if it is absent, or malformed, which the standard wants to be ignored.
    /// </summary>
    public static string? TraceParentOf(ServerCallContext context)
    {
        // Not from the call's own metadata, which are made of all headers at the first question.
        var given = context is TransportCallContext own
            ? own.TraceParent : context.GetHttpContext().Request.Headers[ProtocolConstants.TraceParentHeader].ToString();
        return given.Length > 0 && TraceParents.IsValid(given) ? given : null;
    }

    /// <summary>Whether the call has been cancelled, or its caller has disconnected.</summary>
    /// <remarks>
    /// The call's own token fires for its deadline too, but later than the connection's when the client has disconnected.
    /// </remarks>
    public static bool IsOver(ServerCallContext context) =>
        context.CancellationToken.IsCancellationRequested || DisconnectedOf(context).IsCancellationRequested;

    /// <summary>Calls back once, at the call's end: with true if its answer was passed to a caller that was still connected.</summary>
    public static void OnAnswered(ServerCallContext context, Action<bool> answered)
    {
        if (context is TransportCallContext own)
        {
            own.OnAnswered(answered);
            return;
        }

        var http = context.GetHttpContext();
        var isWritten = false;
        // Called when the answer is passed to the connection, and in any case at the end.
        http.Response.OnStarting(() =>
        {
            isWritten = !http.RequestAborted.IsCancellationRequested;
            return Task.CompletedTask;
        });
        http.Response.OnCompleted(() =>
        {
            answered(isWritten);
            return Task.CompletedTask;
        });
    }

    private static CachedAuthentication? AuthenticationOf(ServerCallContext context) => context is TransportCallContext own
        ? own.Authentication : context.GetHttpContext().Features.Get<CachedAuthentication>();

    private static CancellationToken DisconnectedOf(ServerCallContext context) => context is TransportCallContext own
        ? own.Disconnected : context.GetHttpContext().RequestAborted;
}
