using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>
/// Sends an operation over a session's stream that fails in a chosen way, then again with the same id over the next stream.
/// </summary>
internal static class FaultyStreams
{
    public static async Task<Outcome> SendAsync(
        SessionService.SessionServiceClient sessions, string session, Operation operation, DeliveryFault? fault)
    {
        if (fault is null)
            return await SendAsync(sessions, session, operation);
        using var broken = sessions.Connect(CoordinatorProcess.Deadline());
        await broken.RequestStream.WriteAsync(new ConnectRequest { SessionId = session });
        // It is open once the session has been announced.
        Assert.True(await broken.ResponseStream.MoveNext(CancellationToken.None));
        if (fault != DeliveryFault.RequestLost)
            await broken.RequestStream.WriteAsync(new ConnectRequest { Operations = { operation } });
        if (fault == DeliveryFault.ReplyLost)
            await ReadAsync(broken, operation.OperationId);
        if (fault != DeliveryFault.ReportedFailed)
            broken.Dispose();
        return await SendAsync(sessions, session, operation);
    }

    private static async Task<Outcome> SendAsync(SessionService.SessionServiceClient sessions, string session, Operation operation)
    {
        using var call = sessions.Connect(CoordinatorProcess.Deadline());
        await call.RequestStream.WriteAsync(new ConnectRequest { SessionId = session, Operations = { operation } });
        return await ReadAsync(call, operation.OperationId);
    }

    private static async Task<Outcome> ReadAsync(AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> call, ulong id)
    {
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            if (call.ResponseStream.Current.Outcomes.FirstOrDefault(item => item.OperationId == id) is { } outcome)
                return outcome;
        }

        throw new InvalidOperationException($"the stream ended without an outcome of operation {id}");
    }
}
