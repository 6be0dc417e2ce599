using System.Runtime.CompilerServices;
using Grpc.Core;
using Orchestrator.Client.Errors;

namespace Orchestrator.Client.Connection;

/// <summary>Awaits calls to a coordinator and maps their errors to this client's exceptions.</summary>
internal sealed class CoordinatorCalls(CoordinatorEndpoint endpoint)
{
    /// <summary>The exception of a failed call.</summary>
    public OrchestratorException Map(RpcException exception) => RpcExceptionMapper.Map(exception, endpoint);

    /// <summary>gRPC sometimes reports a broken connection as a cancellation that the caller did not request.</summary>
    public CoordinatorUnavailableException Broken(OperationCanceledException exception) =>
        new($"The connection to the coordinator at {endpoint.Address} ({endpoint.AddressSource}) broke.", exception);

    /// <summary>The response of a call.</summary>
    public async Task<T> CallAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            return await call.ResponseAsync.ConfigureAwait(false);
        }
        catch (RpcException exception)
        {
            throw Map(exception);
        }
        catch (OperationCanceledException exception)
            when (!exception.CancellationToken.IsCancellationRequested && call.GetStatus().StatusCode == StatusCode.Cancelled)
        {
            throw Broken(exception);
        }
    }

    /// <summary>The next message of a stream that was opened with this token.</summary>
    public async Task<bool> MoveNextAsync<T>(IAsyncStreamReader<T> reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.MoveNext(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
        catch (RpcException exception)
        {
            throw Map(exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Broken(exception);
        }
    }

    /// <summary>The items of a stream's messages, until it ends.</summary>
    /// <param name="open">Opens the stream with the token.</param>
    /// <param name="select">The item of a message.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    public async IAsyncEnumerable<TItem> ReadAllAsync<TResponse, TItem>(
        Func<CancellationToken, AsyncServerStreamingCall<TResponse>> open,
        Func<TResponse, TItem> select,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var call = open(cancellationToken);
        while (await MoveNextAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false))
            yield return select(call.ResponseStream.Current);
    }
}
