using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// Authorizes requests on the HTTP port. A web page must not reach a coordinator through its visitor's browser: DNS names pointed at this
/// machine are refused by the Host header, cross-origin requests by their Origin, and no response is ever shared with another origin.
/// </summary>
internal sealed class HttpAuthorizationMiddleware(Authenticator callers, CoordinatorOptions options)
{
    /// <summary>Passes the request on or rejects it.</summary>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // The other port's methods do not exist here, whatever path the request claims.
        if (context.GetEndpoint()?.Metadata.GetMetadata<HttpPortRoute>() is null)
            context.SetEndpoint(null);
        if (!IsKnown(context.Request.Host.Host))
            return RejectAsync(context, StatusCodes.Status421MisdirectedRequest,
                $"the host '{context.Request.Host.Host}' is not known here; --allow-host makes it known");
        if (context.Request.Headers.Origin is { Count: > 0 } origin && origin != $"{context.Request.Scheme}://{context.Request.Host}")
            return RejectAsync(context, StatusCodes.Status403Forbidden, "requests of other pages are not served");
        if (context.GetEndpoint()?.Metadata.GetMetadata<AllowAnonymous>() is not null)
            return next(context);
        if (callers.Find(new HttpCallOrigin(context), out var fault) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return RejectAsync(context, StatusCodes.Status401Unauthorized, fault!);
        }

        context.Features.Get<ConnectionAuthenticationCache>()?.MarkAuthenticated();
        // Every client role includes observing.
        return caller.Worker is null
            ? next(context) : RejectAsync(context, StatusCodes.Status403Forbidden, "a worker's token is not for this port");
    }

    // An IP address cannot be redirected by the owner of a DNS name, so any address is accepted.
    private bool IsKnown(string host) =>
        host == "localhost" || IPAddress.TryParse(host.Trim('[', ']'), out _)
            || options.AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static Task RejectAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(reason + "\n", context.RequestAborted);
    }
}

/// <summary>Marks a route that answers without a credential; a route without this mark needs one.</summary>
internal sealed class AllowAnonymous;
