using Grpc.Core;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Kernel;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// Common behavior of the queue, pipe and state streams: how they end, and sessions with the same lifetime as the stream.
/// </summary>
/// <remarks>
/// Such a stream requests its next items from the engine only after the last ones have been written: it buffers nothing here, however slow
/// its client is.
/// </remarks>
internal sealed class ObjectStreams(ObjectEngineHost host, ConnectRegistry registry)
{
    /// <summary>
    /// Runs a stream until it is done, its client has disconnected (see <see cref="Security.AuthorizationInterceptor"/>) or the coordinator
    /// stops.
    /// </summary>
    public async Task RunAsync(ServerCallContext context, Func<CancellationToken, Task> run)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, registry.Stopping);
        try
        {
            await run(ending.Token);
        }
        catch (OperationCanceledException)
            when (registry.Stopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw RpcErrors.Create(ErrorReason.Draining, "the coordinator stops");
        }
    }

    /// <summary>
    /// As <see cref="RunAsync"/>, with a session of the stream's own: its holds are released when the stream ends, for whatever reason.
    /// </summary>
    public Task RunWithSessionAsync(ServerCallContext context, string displayName, Func<string, CancellationToken, Task> run) =>
        RunAsync(context, async ending =>
    {
        var client = ClientQuota.Of(context).Objects;
        var session =
            (await ObjectCall.RunAsync<CreateSessionOutcome>(host, new CreateSession(displayName) { Client = client }, "", ending)).Created;
        try
        {
            // From here on the session does not expire.
            await ObjectCall.RunAsync<Done>(host, new AttachSession(), session.Id, ending);
            await run(session.Id, ending);
        }
        finally
        {
            host.Apply(new ObjectRequest(new CloseSession { Session = session }));
        }
    });

    /// <summary>Runs both sides of a stream; the first side to fail ends the other, and its failure becomes the stream's.</summary>
    public static async Task BothAsync(Func<CancellationToken, Task> one, Func<CancellationToken, Task> other, CancellationToken ending)
    {
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(ending);
        var first = one(failing.Token);
        var second = other(failing.Token);
        var ended = await Task.WhenAny(first, second);
        if (!ended.IsCompletedSuccessfully)
            await failing.CancelAsync();
        var rest = ended == first ? second : first;
        await rest.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended;
        await rest;
    }
}
