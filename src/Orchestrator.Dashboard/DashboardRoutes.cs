using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Orchestrator.Dashboard;

/// <summary>Marks a route that a browser may call with the session's cookie.</summary>
/// <param name="IsProtected">
/// Whether a request with a cookie also needs the page's own header: it changes something or reads something, and another site must not be
/// able to make a browser send it. Sockets, which cannot have headers, are protected by their Origin.
/// </param>
internal sealed record CookieRoute(bool IsProtected);

/// <summary>The page's routes.</summary>
internal static class DashboardRoutes
{
    /// <summary>The header that only the page's own scripts can send.</summary>
    public const string PageHeader = "x-orchestrator";

    private const int MaxLoginBytes = 4_096;
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>
    /// The name of the session's cookie. Browsers send cookies to every port of a host, so that two coordinators of one machine need two.
    /// </summary>
    public static string CookieName(HttpContext context) => $"orchestrator_session_{context.Request.Host.Port ?? 0}";

    /// <summary>Adds the page, its files, the JSON calls and the feed.</summary>
    /// <param name="routes">Where.</param>
    /// <param name="access">The coordinator and its callers.</param>
    /// <param name="allowAnonymous">The mark of routes that need no credential; null if another program decides.</param>
    public static void MapDashboard(this IEndpointRouteBuilder routes, IDashboardAccess access, object? allowAnonymous)
    {
        var files = new PageFiles();
        var bridge = new JsonBridge(access);
        var feed = new FeedSocket(access);
        var logins = new LoginLimit();
        Open(routes.MapMethods("/", Read, files.SendShellAsync));
        Open(routes.MapMethods("/login", Read, files.SendShellAsync));
        Open(routes.MapMethods("/assets/{**path}", Read, files.SendAsync));
        Open(routes.MapPost("/login", context => LogInAsync(context, access, logins)));
        Protect(routes.MapPost("/logout", context =>
        {
            if (context.Request.Cookies[CookieName(context)] is { } secret)
                access.LogOut(secret);
            context.Response.Cookies.Delete(CookieName(context), Cookie(context));
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }));
        routes.MapGet("/session", context => SendSessionAsync(context, access)).WithMetadata(new CookieRoute(IsProtected: false));
        Protect(routes.MapPost("/api/{service}/{method}", allowAnonymous is null ? FromPage(bridge.InvokeAsync) : bridge.InvokeAsync));
        routes.MapGet("/feed", allowAnonymous is null ? FromOwnOrigin(feed.RunAsync) : feed.RunAsync)
            .WithMetadata(new CookieRoute(IsProtected: false));

        void Open(IEndpointConventionBuilder route)
        {
            if (allowAnonymous is not null)
                route.WithMetadata(allowAnonymous);
        }

        static void Protect(IEndpointConventionBuilder route) => route.WithMetadata(new CookieRoute(IsProtected: true));
    }

    /// <summary>
    /// In another program its own login stands for the cookie, which a browser may send with the requests of any site, too: so these two
    /// checks, which the coordinator's own port makes for cookies only, are made for all.
    /// </summary>
    private static RequestDelegate FromPage(RequestDelegate next) => context => context.Request.Headers[PageHeader] == "page"
        ? next(context)
        : JsonErrors.SendAsync(
            context, StatusCodes.Status403Forbidden, "permission_denied", $"a call needs the header '{PageHeader}: page'");

    private static RequestDelegate FromOwnOrigin(RequestDelegate next) => context =>
        context.Request.Headers.Origin == $"{context.Request.Scheme}://{context.Request.Host}"
            ? next(context)
            : JsonErrors.SendAsync(
                context, StatusCodes.Status403Forbidden, "permission_denied", "the feed is for the page of this origin only");

    private static async Task LogInAsync(HttpContext context, IDashboardAccess access, LoginLimit logins)
    {
        if (!logins.TryEnter())
        {
            await JsonErrors.SendAsync(
                context, StatusCodes.Status429TooManyRequests, "resource_exhausted", "too many logins; try again in a second");
            return;
        }

        LoginRequest? request = null;
        if (context.Request.ContentLength is <= MaxLoginBytes && context.Request.HasJsonContentType())
        {
            try
            {
                request = await context.Request.ReadFromJsonAsync(DashboardJson.Default.LoginRequest, context.RequestAborted);
            }
            catch (JsonException)
            {
                // Answered below.
            }
        }

        if (request is null)
        {
            await JsonErrors.SendAsync(
                context, StatusCodes.Status400BadRequest, "invalid_argument",
                "send {\"code\": \"…\"} or {\"token\": \"…\"} as application/json");
            return;
        }

        if (access.LogIn(request.Code, request.Token) is not { } secret)
        {
            var why = request.Code is null
                ? "the token is wrong" : "the code is wrong, was used before, or is too old: 'orchestrator page' makes another";
            await JsonErrors.SendAsync(context, StatusCodes.Status401Unauthorized, "unauthenticated", why);
            return;
        }

        var cookie = Cookie(context);
        cookie.MaxAge = TimeSpan.FromHours(12);
        context.Response.Cookies.Append(CookieName(context), secret, cookie);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static CookieOptions Cookie(HttpContext context) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        Path = "/",
    };

    private static Task SendSessionAsync(HttpContext context, IDashboardAccess access)
    {
        if (access.CredentialOf(context) is not { } authorization || access.Find(authorization) is not { } caller)
            return JsonErrors.SendAsync(context, StatusCodes.Status401Unauthorized, "unauthenticated", "log in");
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            new SessionAnswer(caller.Name, caller.Role), DashboardJson.Default.SessionAnswer, cancellationToken: context.RequestAborted);
    }
}
