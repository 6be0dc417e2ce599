using Grpc.Core;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>What the calls of all kinds share: their end.</summary>
internal abstract class LocalInvocation<TRequest, TResponse>(LocalCall call, Method<TRequest, TResponse> method) : ILocalInvocation
    where TRequest : class
    where TResponse : class
{
    private static readonly byte[] Ok = [];

    protected LocalCall Call => call;

    protected LocalConnection Connection => call.Connection;

    public virtual bool IsUnary => false;

    public bool KeepsContent => typeof(TRequest) == typeof(MessageBuffer);

    public abstract void Begin();

    public abstract void OnMessage(ReadOnlyMemory<byte> content);

    public abstract void OnRefused(RpcException refusal);

    public abstract void OnHalfClose();

    /// <summary>Reads a message.</summary>
    /// <exception cref="RpcException">It is none that the method takes.</exception>
    protected TRequest Read(ReadOnlyMemory<byte> content) => Connection.Read(content, method.RequestMarshaller);

    /// <summary>Adds a message to what is sent next.</summary>
    protected void Add(TResponse response) => Connection.Writer.Add(response, method.ResponseMarshaller);

    /// <summary>Runs the handler and ends the call as it ends.</summary>
    protected async Task RunAsync<TState>(TState state, Func<TState, Task> handler)
    {
        byte[] status;
        try
        {
            await handler(state);
            status = Ok;
        }
        catch (Exception exception)
        {
            status = call.StatusOf(exception);
            if (exception is not (RpcException or OperationCanceledException))
                Connection.OnHandlerFault(call.Method, exception);
        }

        await Connection.EndAsync(call, status);
    }
}
