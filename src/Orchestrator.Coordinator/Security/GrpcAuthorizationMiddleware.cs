using System.Globalization;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Lets the gate decide on calls of the gRPC port by their headers, before a byte of the request is read or decompressed; the body of a
/// refused call is never read.
/// </summary>
internal sealed class GrpcAuthorizationMiddleware(CallGate gate, IncompleteMessageLimits incoming)
{
    private const string GrpcContent = "application/grpc";

    /// <summary>Passes the call on or rejects it.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // Not for the other port's routes, whatever path the request claims.
        if (context.GetEndpoint() is not RouteEndpoint route || route.Metadata.GetMetadata<HttpPortRoute>() is not null)
            context.SetEndpoint(null);
        var method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
        var isOpen = method is not null && AccessRules.IsOpen(method.FullName);
        try
        {
            if (!isOpen)
                context.Features.Set(gate.Admit(new HttpCallOrigin(context), method?.FullName));
        }
        catch (RpcException refusal)
        {
            await RejectAsync(context, refusal);
            return;
        }

        using var body = new LimitedRequestBody(
            context.Request.BodyReader,
            incoming,
            context.Features.Get<ConnectionAuthenticationCache>(),
            isOpen ? IncompleteMessageLimits.OpenArrivalLimit : IncompleteMessageLimits.ArrivalLimit,
            isSingle: method?.Type is MethodType.Unary or MethodType.ServerStreaming);
        context.Features.Set<IRequestBodyPipeFeature>(body);
        await next(context);
    }

    /// <summary>Answers as gRPC does, with the whole status in the headers; clients that do not speak gRPC get a line of text.</summary>
    private static Task RejectAsync(HttpContext context, RpcException refusal)
    {
        var response = context.Response;
        if (context.Request.ContentType?.StartsWith(GrpcContent, StringComparison.Ordinal) != true)
        {
            response.StatusCode = refusal.StatusCode == StatusCode.Unauthenticated
                ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden;
            response.ContentType = "text/plain; charset=utf-8";
            return response.WriteAsync(refusal.Status.Detail + "\n", context.RequestAborted);
        }

        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = GrpcContent;
        response.Headers["grpc-status"] = ((int)refusal.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        foreach (var entry in refusal.Trailers)
            response.Headers[entry.Key] = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes) : entry.Value;
        return response.CompleteAsync();
    }
}

/// <summary>Marks a route of the HTTP port; any other is a method of the gRPC port.</summary>
internal sealed class HttpPortRoute;
