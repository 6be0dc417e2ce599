using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Dashboard;
using Orchestrator.Protocol;

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
        if (TakeCookie(context) is { } refusal)
            return RejectAsync(context, StatusCodes.Status403Forbidden, refusal);
        if (context.GetEndpoint()?.Metadata.GetMetadata<AllowAnonymous>() is not null)
            return next(context);
        if (callers.Find(new HttpCallOrigin(context), out var fault) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return RejectAsync(context, StatusCodes.Status401Unauthorized, fault!);
        }

        context.Features.Get<ConnectionAuthenticationCache>()?.MarkAuthenticated();
        context.Features.Set(caller);
        // Every client role includes observing.
        return caller.Worker is null
            ? next(context) : RejectAsync(context, StatusCodes.Status403Forbidden, "a worker's token is not for this port");
    }

    /// <summary>
    /// On the page's own routes a browser's cookie stands for a token. The browser also sends it with requests that pages of other origins
    /// cause, so such a request must also show that it comes from the page: by a header that other sites cannot send, or, for a socket, by
    /// its origin.
    /// </summary>
    /// <returns>Why the cookie is not taken; null if it is, or if there is none.</returns>
    private static string? TakeCookie(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (context.GetEndpoint()?.Metadata.GetMetadata<CookieRoute>() is not { } route
            || headers.Authorization.Count > 0
            || context.Request.Cookies[DashboardRoutes.CookieName(context)] is not { Length: > 0 } secret)
        {
            return null;
        }

        if (route.IsProtected && headers[DashboardRoutes.PageHeader] != "page")
            return $"a request with the page's cookie needs the header '{DashboardRoutes.PageHeader}: page'";
        if (context.WebSockets.IsWebSocketRequest && headers.Origin.Count == 0)
            return "a socket with the page's cookie needs an Origin";
        headers.Authorization = ProtocolConstants.BearerPrefix + secret;
        return null;
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
