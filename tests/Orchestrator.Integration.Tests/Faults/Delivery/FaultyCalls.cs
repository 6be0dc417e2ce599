using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>Lets the next unary call fail in a chosen way.</summary>
internal sealed class FaultyCalls : Interceptor
{
    private DeliveryFault? _next;

    /// <summary>How many calls have failed in that way.</summary>
    public int Fired { get; private set; }

    /// <summary>The first call, when it was sent and given up.</summary>
    public Task Delivered { get; private set; } = Task.CompletedTask;

    public void Arm(DeliveryFault fault)
    {
        (_next, Delivered) = (fault, Task.CompletedTask);
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        if (_next is not { } fault)
            return continuation(request, context);
        _next = null;
        Fired++;
        if (fault == DeliveryFault.RequestLost)
            return Failing<TResponse>(Task.CompletedTask);
        var call = continuation(request, context);
        Delivered = call.ResponseAsync;
        return Failing<TResponse>(fault == DeliveryFault.ReplyLost ? call.ResponseAsync : Task.CompletedTask);
    }

    private static AsyncUnaryCall<T> Failing<T>(Task after)
    {
        return new AsyncUnaryCall<T>(
            FailAsync(), Task.FromResult(new Metadata()), () => new Status(StatusCode.Unavailable, "injected"), () => [], () => { });

        async Task<T> FailAsync()
        {
            await after;
            throw new RpcException(new Status(StatusCode.Unavailable, "injected"));
        }
    }
}
