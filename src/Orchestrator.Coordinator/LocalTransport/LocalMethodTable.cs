using Grpc.Core;
using Orchestrator.Coordinator.Security;
using Orchestrator.Coordinator.Services;

namespace Orchestrator.Coordinator.LocalTransport;

/// <summary>The methods of all services, bound to the same adapters as those over gRPC and guarded by the same interceptor.</summary>
/// <param name="interceptor">Runs around every call.</param>
internal sealed class LocalMethodTable(AuthorizationInterceptor interceptor) : ServiceBinderBase
{
    private readonly Dictionary<string, LocalMethod> _methods = [];

    /// <summary>The method of this name; null if there is none.</summary>
    public LocalMethod? Find(string name) => _methods.GetValueOrDefault(name);

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
            return;
        var guarded = RequestGuard.Apply(method);
        Add(new LocalUnaryMethod<TRequest, TResponse>(
            guarded, (request, context) => interceptor.UnaryServerHandler(request, context, handler)));
    }

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
            return;
        Add(new LocalServerStreamMethod<TRequest, TResponse>(
            RequestGuard.Apply(method),
            (request, responses, context) => interceptor.ServerStreamingServerHandler(request, responses, context, handler)));
    }

    /// <inheritdoc/>
    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        if (handler is null)
            return;
        Add(new LocalDuplexMethod<TRequest, TResponse>(
            RequestGuard.Apply(method),
            (requests, responses, context) => interceptor.DuplexStreamingServerHandler(requests, responses, context, handler)));
    }

    private void Add(LocalMethod method) => _methods.Add(method.Name, method);
}
