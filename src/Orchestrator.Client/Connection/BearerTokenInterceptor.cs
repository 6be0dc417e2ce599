using Grpc.Core;
using Grpc.Core.Interceptors;
using Orchestrator.Contracts;

namespace Orchestrator.Client;

/// <summary>
/// Sends the token as metadata of every call. Call credentials would be the usual place, but gRPC drops them on
/// channels without TLS, and the coordinator's own address on loopback has none.
/// </summary>
internal sealed class BearerTokenInterceptor : Interceptor
{
    private readonly string _value;
    private readonly Metadata _shared;

    public BearerTokenInterceptor(string token)
    {
        _value = ProtocolConstants.BearerPrefix + token;
        // Calls only read their headers, so that calls without headers of their own can share one object.
        _shared = new Metadata { { ProtocolConstants.AuthorizationHeader, _value } };
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation) => continuation(request, With(context));

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        BlockingUnaryCallContinuation<TRequest, TResponse> continuation) => continuation(request, With(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request,
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(request, With(context));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(With(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(With(context));

    private ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class
    {
        var headers = _shared;
        if (context.Options.Headers is { Count: > 0 } own)
        {
            headers = [.. own];
            headers.Add(ProtocolConstants.AuthorizationHeader, _value);
        }

        return new ClientInterceptorContext<TRequest, TResponse>(
            context.Method, context.Host, context.Options.WithHeaders(headers));
    }
}
