using Google.Rpc;
using Grpc.Core;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Scenarios.Objects;

/// <summary>Short ways to call the services of shared objects in tests.</summary>
internal static class ObjectCalls
{
    /// <summary>A name that no other test uses.</summary>
    public static string Unique(string name) => $"{name}-{Guid.NewGuid():N}";

    public static Payload Text(string text) => Payloads.FromJson($"\"{text}\"");

    public static string Read(Payload payload) => payload.Json.StringValue;

    public static async Task<RpcException> FailsAsync<T>(AsyncUnaryCall<T> call) =>
        await Assert.ThrowsAsync<RpcException>(async () => await call);

    /// <summary>Checks the status, the reason and that the message names the fault.</summary>
    public static async Task RefusesAsync<T>(AsyncUnaryCall<T> call, StatusCode status, string reason, string says = "") =>
        Check(await FailsAsync(call), status, reason, says);

    public static void Check(RpcException error, StatusCode status, string reason, string says = "")
    {
        Assert.True((status, reason) == (error.StatusCode, ReasonOf(error)), $"{(status, reason)} was expected, and this came: {error}");
        Assert.Contains(says, error.Status.Detail, StringComparison.Ordinal);
    }

    public static string? ReasonOf(RpcException error) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;

    /// <summary>Polls until the waits are as expected: a waiting call does not report its arrival.</summary>
    public static Task UntilWaitsAsync(this CoordinatorProcess coordinator, Func<IEnumerable<WaitEdge>, bool> condition) =>
        UntilAsync(async () => condition((await coordinator.Admin.ExplainWaitsAsync(new ExplainWaitsRequest(), Soon)).Edges));

    public static CallOptions Soon => CoordinatorProcess.Deadline();

    public static async Task<string> OpenSessionAsync(this CoordinatorProcess coordinator) =>
        (await new SessionService.SessionServiceClient(coordinator.Invoker).CreateSessionAsync(new CreateSessionRequest(), Soon)).SessionId;

    public static async Task CloseSessionAsync(this CoordinatorProcess coordinator, string session) =>
        await new SessionService.SessionServiceClient(coordinator.Invoker).CloseSessionAsync(
            new CloseSessionRequest { SessionId = session }, Soon);
}
