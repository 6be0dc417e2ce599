using System.Globalization;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Authenticates and authorizes calls on the gRPC port. It decides by the headers, before a byte of the request is read or decompressed;
/// the body of a refused call is never read.
/// </summary>
internal sealed class GrpcAuthorizationMiddleware(
    Authenticator callers, TokenStore tokens, ClientQuotaRegistry quotas, IncompleteMessageLimits incoming)
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
                Check(context, method);
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

    private void Check(HttpContext context, IMethod? method)
    {
        var known = Identify(context);
        var caller = known.Caller;
        context.Features.Set(known.Quota);
        context.Features.Set(known);
        // gRPC itself answers calls of unknown methods, once the caller is authenticated.
        if (method is null)
            return;
        if (AccessRules.Find(method.FullName) is not { } rule)
            throw RpcErrors.Create(
                ErrorReason.PermissionDenied, $"no client may call {method.FullName}: this coordinator has no access rule for it");
        if (caller.Worker is not null)
        {
            if (!rule.Workers)
            {
                throw RpcErrors.Create(
                    ErrorReason.PermissionDenied,
                    $"a worker's token is for sessions, queues, pipes, state and synchronization, not for {method.FullName}");
            }
        }
        else if (caller.Role < rule.Least)
        {
            throw RpcErrors.Create(
                ErrorReason.PermissionDenied,
                $"{method.FullName} needs the role {RoleNames.Of(rule.Least)}, and {caller.Name} has {RoleNames.Of(caller.Role)}");
        }
    }

    private CachedAuthentication Identify(HttpContext context)
    {
        var cache = context.Features.Get<ConnectionAuthenticationCache>();
        var authorization = (string?)context.Request.Headers.Authorization;
        // Read before the tokens: a concurrent change makes the cached entry stale, never a stale entry valid.
        var version = tokens.Version;
        if (cache?.Last is { } last && last.Version == version && last.Authorization == authorization && !tokens.HasExpired(last.Caller))
            return last;
        var caller = callers.Find(context, out var fault) ?? throw RpcErrors.Create(ErrorReason.Unauthenticated, fault!);
        var known = new CachedAuthentication(authorization, version, caller, quotas.Of(context, caller));
        if (cache is not null)
        {
            cache.Last = known;
            cache.MarkAuthenticated();
        }

        return known;
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
