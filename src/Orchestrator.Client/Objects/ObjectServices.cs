using System.Runtime.CompilerServices;
using System.Text.Json;
using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The services of shared objects over one connection, and the mapping of their errors.</summary>
/// <param name="invoker">The connection.</param>
/// <param name="errors">Maps errors.</param>
/// <param name="json">How values are serialized; null for the options of the SDK.</param>
internal sealed class ObjectServices(CallInvoker invoker, CoordinatorCalls errors, JsonSerializerOptions? json = null)
{
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);

    public SessionService.SessionServiceClient Sessions { get; } = new(invoker);

    public QueueService.QueueServiceClient Queues { get; } = new(invoker);

    public PipeService.PipeServiceClient Pipes { get; } = new(invoker);

    public StateService.StateServiceClient State { get; } = new(invoker);

    public SyncService.SyncServiceClient Sync { get; } = new(invoker);

    public CoordinatorCalls Errors => errors;

    public JsonSerializerOptions? Json => json;

    /// <summary>Deletes a dict, list, value or array.</summary>
    public Task DeleteAsync(StateKind kind, string name, CancellationToken cancellationToken) =>
        errors.CallAsync(State.DeleteStateAsync(new DeleteStateRequest { Kind = kind, Name = name }, cancellationToken: cancellationToken));

    /// <summary>Every change of a state object, until the call ends.</summary>
    public async IAsyncEnumerable<WatchStateResponse> WatchAsync(
        WatchStateRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = State.WatchState(request, cancellationToken: cancellationToken);
        while (await Errors.MoveNextAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false))
            yield return call.ResponseStream.Current;
    }

    /// <summary>Closes a session if the coordinator can be told so.</summary>
    public async Task CloseAsync(string session)
    {
        try
        {
            using var limit = new CancellationTokenSource(CloseLimit, TimeProvider.System);
            using var call = Sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session }, cancellationToken: limit.Token);
            await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // The session has ended already, or its time to live will end it: disposal must not wait for a coordinator that does not
            // answer.
        }
    }
}
