using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>Runs a unary call as one command that counts against its client's quota.</summary>
internal static class UnaryCalls
{
    /// <summary>Applies a command and waits for its outcome.</summary>
    /// <param name="host">The engine.</param>
    /// <param name="command">The command.</param>
    /// <param name="sessionId">The session that the request names; empty for none.</param>
    /// <param name="context">The call.</param>
    /// <exception cref="RpcException">The outcome is an error.</exception>
    public static Task<T> RunAsync<T>(this ObjectEngineHost host, ObjectCommand command, string sessionId, ServerCallContext context)
        where T : ObjectOutcome
    {
        command.Client = ClientQuota.Of(context).Objects;
        return ObjectCall.RunAsync<T>(host, command, sessionId, context.CancellationToken);
    }

    /// <summary>
    /// As <see cref="RunAsync"/>, for items taken for good: they are returned if the call ends before its answer could be written. A
    /// written answer that is lost in transit is lost, unless the request can be repeated by its id.
    /// </summary>
    public static async Task<T> TakeAsync<T>(this ObjectEngineHost host, ObjectCommand command, string sessionId, ServerCallContext context)
        where T : ObjectOutcome
    {
        command.Client = ClientQuota.Of(context).Objects;
        var delivery = await ObjectCall.DeliverAsync(host, command, sessionId, context.CancellationToken);
        CallScope.OnAnswered(context, isWritten =>
        {
            if (!isWritten)
                host.Apply(new ObjectRequest(new CompensateDelivery(delivery)));
        });
        return (T)delivery.Outcome;
    }
}
