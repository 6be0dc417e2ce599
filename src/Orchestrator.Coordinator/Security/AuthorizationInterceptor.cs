using Grpc.Core;
using Grpc.Core.Interceptors;
using Orchestrator.Coordinator.Errors;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Security;

/// <summary>Every call but a health check needs the token; one without it is told where the token lies.</summary>
internal sealed class AuthorizationInterceptor(TokenStore tokens) : Interceptor
{
    private const string HealthService = "/grpc.health.v1.Health/";

    private static readonly string[] s_forWorkers =
    [
        .. new[] { SessionService.Descriptor, QueueService.Descriptor, PipeService.Descriptor, StateService.Descriptor, SyncService.Descriptor }
            .Select(service => $"/{service.FullName}/"),
    ];

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, context);
    }

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, context);
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, responseStream, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, responseStream, context);
    }

    private void Check(ServerCallContext context)
    {
        if (context.Method.StartsWith(HealthService, StringComparison.Ordinal))
            return;
        // Straight from the request: gRPC's own view of the headers would be built for this one alone.
        var presented = (string?)context.GetHttpContext().Request.Headers.Authorization;
        switch (tokens.Identify(presented))
        {
            case Caller.Client:
                return;
            case Caller.Worker when Array.Exists(s_forWorkers, service => context.Method.StartsWith(service, StringComparison.Ordinal)):
                return;
            case Caller.Worker:
                throw Failures.Create(ErrorReason.PermissionDenied, $"a worker's token is for sessions, queues, pipes, state and synchronization, not for {context.Method}");
        }

        throw Failures.Create(
            ErrorReason.Unauthenticated,
            $"{(presented is null ? "no token was sent" : "the token is wrong")}; it lies in {tokens.Path} (send it as 'authorization: Bearer TOKEN')");
    }
}
