using System.Net.Sockets;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Orchestrator.Local.V1;
using Orchestrator.Protocol;

namespace Orchestrator.Transport.LocalCalls;

/// <summary>Makes calls over the local transport, and over gRPC where its socket does not answer.</summary>
/// <param name="grpc">Makes calls over gRPC.</param>
/// <param name="connections">The connections.</param>
internal sealed class LocalInvoker(CallInvoker grpc, LocalConnections connections) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
        grpc.BlockingUnaryCall(method, host, options, request);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (Connect() is not { } connection)
            return grpc.AsyncUnaryCall(method, host, options, request);
        var call = new LocalUnaryCall<TRequest, TResponse>(connection, method, options);
        call.Start(Open(method, options), request);
        return new AsyncUnaryCall<TResponse>(
            call.Response, Task.FromResult(new Metadata()), () => call.Status, () => call.Trailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (Connect() is not { } connection)
            return grpc.AsyncServerStreamingCall(method, host, options, request);
        var call = new LocalStreamCall<TRequest, TResponse>(connection, method, options);
        call.Start(Open(method, options), request);
        return new AsyncServerStreamingCall<TResponse>(
            call, Task.FromResult(new Metadata()), () => call.Status, () => call.Trailers, call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options) =>
        grpc.AsyncClientStreamingCall(method, host, options);

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        if (Connect() is not { } connection)
            return grpc.AsyncDuplexStreamingCall(method, host, options);
        var call = new LocalStreamCall<TRequest, TResponse>(connection, method, options);
        call.Start(Open(method, options), null);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(
            call, call, Task.FromResult(new Metadata()), () => call.Status, () => call.Trailers, call.Dispose);
    }

    private static byte[] Open<TRequest, TResponse>(Method<TRequest, TResponse> method, CallOptions options)
    {
        var open = new LocalCall { Method = method.FullName };
        if (options.Headers?.GetValue(ProtocolConstants.AuthorizationHeader) is { } authorization)
            open.Authorization = authorization;
        if (options.Headers?.GetValue(ProtocolConstants.TraceParentHeader) is { } trace)
            open.Traceparent = trace;
        if (LocalClientCall.TimeLeft(options) is { } left)
            open.Timeout = Duration.FromTimeSpan(left);
        return open.ToByteArray();
    }

    private LocalClientConnection? Connect()
    {
        try
        {
            return connections.Rent();
        }
        catch (Exception exception) when (exception is SocketException or IOException)
        {
            // The coordinator has ended, or this process is out of descriptors: gRPC finds out which.
            return null;
        }
    }
}
