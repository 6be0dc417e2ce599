using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>The services of shared objects over one connection, and how their errors read.</summary>
internal sealed class ObjectServices(CallInvoker invoker, Func<RpcException, OrchestratorException> translate)
{
    public SessionService.SessionServiceClient Sessions { get; } = new(invoker);

    public QueueService.QueueServiceClient Queues { get; } = new(invoker);

    public PipeService.PipeServiceClient Pipes { get; } = new(invoker);

    public StateService.StateServiceClient State { get; } = new(invoker);

    public SyncService.SyncServiceClient Sync { get; } = new(invoker);

    public OrchestratorException Translate(RpcException exception) => translate(exception);

    /// <summary>The response of a call, or its error as this client's exception.</summary>
    public async Task<T> CallAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            return await call.ResponseAsync;
        }
        catch (RpcException exception)
        {
            throw translate(exception);
        }
    }

    /// <summary>The next message of a stream, or its error as this client's exception.</summary>
    public async Task<bool> MoveNextAsync<T>(IAsyncStreamReader<T> reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.MoveNext(cancellationToken);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
        catch (RpcException exception)
        {
            throw translate(exception);
        }
    }
}
