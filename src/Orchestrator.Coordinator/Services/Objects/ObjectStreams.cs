using Grpc.Core;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Coordinator.Errors;
using Orchestrator.Coordinator.Security;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>What the streams of queues, pipes and state have in common: how they end, and sessions that live exactly as long as they.</summary>
/// <remarks>
/// Such a stream asks the engine for its next items only once the last ones have been written: nothing is kept for it here, however slow its client is.
/// </remarks>
internal sealed class ObjectStreams(ObjectEngineHost host, ConnectRegistry registry)
{
    /// <summary>Runs a stream until it is done, its client has gone (see <see cref="Security.AuthorizationInterceptor"/>) or the coordinator stops.</summary>
    public async Task RunAsync(ServerCallContext context, Func<CancellationToken, Task> run)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, registry.Stopping);
        try
        {
            await run(ending.Token);
        }
        catch (OperationCanceledException) when (registry.Stopping.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw RpcErrors.Create(ErrorReason.Draining, "the coordinator stops");
        }
    }

    /// <summary>As <see cref="RunAsync"/>, with a session of the stream's own: what it holds goes back when the stream ends, in whichever way.</summary>
    public Task RunWithSessionAsync(ServerCallContext context, string displayName, Func<string, CancellationToken, Task> run) => RunAsync(context, async ending =>
    {
        var client = ClientQuota.Of(context).Objects;
        var session = (await ObjectCall.RunAsync<CreateSessionOutcome>(host, new CreateSession(displayName) { Client = client }, "", ending)).Created;
        try
        {
            // From here on time does not end it.
            await ObjectCall.RunAsync<Done>(host, new AttachSession(), session.Id, ending);
            await run(session.Id, ending);
        }
        finally
        {
            host.Apply(new ObjectRequest(new CloseSession { Session = session }));
        }
    });

    /// <summary>Runs two sides of a stream; the first that fails ends the other, and its failure is the stream's.</summary>
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
