using Grpc.Core;
using Grpc.Core.Interceptors;
using Orchestrator.Protocol;

namespace Orchestrator.Client.Connection;

/// <summary>
/// Sends the token as metadata of every call. Call credentials would be the usual place, but gRPC drops them on
/// channels without TLS, and the coordinator's own address on loopback has none.
/// </summary>
internal sealed class BearerTokenInterceptor : ContextInterceptor
{
    private readonly string _value;
    private readonly Metadata _shared;

    public BearerTokenInterceptor(string token)
    {
        _value = ProtocolConstants.BearerPrefix + token;
        // Calls only read their headers, so calls without their own headers can share one object.
        _shared = new Metadata { { ProtocolConstants.AuthorizationHeader, _value } };
    }

    protected override ClientInterceptorContext<TRequest, TResponse> With<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
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
