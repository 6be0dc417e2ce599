using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using Grpc.Core;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>
/// Every route on both ports, with both methods, whatever the request claims to be: the expected response for a credential.
/// </summary>
internal static class RouteMatrix
{
    private const string GrpcContent = "application/grpc";

    // Without a credential a connection may send 72 KB at once, and then a trickle.
    private const int RoutesPerConnection = 16;

    // Written down a second time: a route that becomes open without a credential shows here.
    private static readonly string[] OpenRoutes = ["/healthz", "/readyz", "/", "/login", "/assets/app.css"];

    // What they answer to a GET and to a POST without content, of a caller who may.
    private static readonly Dictionary<string, (int Get, int Post)> HttpRoutes = new()
    {
        ["/healthz"] = (200, 404),
        ["/readyz"] = (200, 404),
        ["/metrics"] = (200, 200),
        ["/"] = (200, 404),
        ["/login"] = (200, 400),
        ["/assets/app.css"] = (200, 404),
        ["/logout"] = (404, 204),
        ["/session"] = (200, 404),
        ["/api/orchestrator.v1.AdminService/GetStatus"] = (404, 415),
        ["/feed"] = (400, 404),
    };

    /// <summary>Tries all of them.</summary>
    /// <param name="grpc">The address of the gRPC port.</param>
    /// <param name="web">The address of the HTTP port.</param>
    /// <param name="credential">The credential's name in messages.</param>
    /// <param name="token">The bearer token to send; null for none.</param>
    /// <param name="role">The credential's role; null for none.</param>
    /// <param name="tls">With the certificate, where that is the credential.</param>
    public static async Task TryAllAsync(
        string grpc, string web, string credential, string? token, Role? role, SslClientAuthenticationOptions? tls = null)
    {
        var routes = await RoutesAsync();
        Assert.True(routes.Count > 50, $"{routes.Count} routes");
        Assert.Superset(HttpRoutes.Keys.ToHashSet(), routes.ToHashSet());
        foreach (var some in routes.Chunk(RoutesPerConnection))
        {
            using var handler = new SocketsHttpHandler { UseProxy = false };
            if (tls is not null)
                handler.SslOptions = tls;
            using var http = new HttpClient(handler);
            foreach (var route in some)
                await TryAsync(http, route, grpc, web, credential, token, role);
        }
    }

    private static async Task TryAsync(HttpClient http, string route, string grpc, string web, string credential, string? token, Role? role)
    {
        foreach (var isGrpcPort in (bool[])[true, false])
        {
            foreach (var content in (string?[])[null, GrpcContent, GrpcContent + "+proto", "application/grpc-web", "text/html"])
            {
                foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
                {
                    var got = await AskAsync(http, isGrpcPort, (isGrpcPort ? grpc : web) + route, content, method, token);
                    var fault = Fault(got, isGrpcPort, route, method, role);
                    Assert.True(fault is null,
                        $"{method} {route} ({content}) on the {(isGrpcPort ? "gRPC" : "HTTP")} port with {credential}: {got}, {fault}");
                }
            }
        }
    }

    /// <summary>What is wrong with a response; null when it is correct.</summary>
    private static string? Fault(Answer got, bool isGrpcPort, string route, HttpMethod method, Role? role)
    {
        var isOwn = HttpRoutes.ContainsKey(route) != isGrpcPort;
        var isHealth = isGrpcPort && route.StartsWith("/grpc.health.v1.Health/", StringComparison.Ordinal) && method == HttpMethod.Post
            && !route.EndsWith("/unimplemented", StringComparison.Ordinal);
        var isOpen = !isGrpcPort && OpenRoutes.Contains(route) && (method == HttpMethod.Get || route == "/login");
        if (isOpen && got.Status != Expected() && (int)got.Status != 429)
            return $"it answers {Expected()}";
        if (isOpen || isHealth)
            return got.IsRefused ? "it is open" : null;
        if (role is null)
            return got.IsUnauthenticated ? null : "a credential is needed";
        if (got.IsUnauthenticated)
            return "the credential is right";
        if (!isOwn)
            return got.Status == HttpStatusCode.NotFound || got.Grpc == StatusCode.Unimplemented ? null : "it belongs to the other port";
        if (!isGrpcPort)
            return got.Status == Expected() ? null : $"it answers {Expected()}";
        var rule = AccessRules.Find(route);
        if (method == HttpMethod.Post && rule is { } needed)
            return got.IsForbidden == (role < needed.Least) ? null : $"it needs the role {needed.Least}";
        return null;

        HttpStatusCode Expected() => (HttpStatusCode)(method == HttpMethod.Get ? HttpRoutes[route].Get : HttpRoutes[route].Post);
    }

    private static async Task<Answer> AskAsync(
        HttpClient http, bool isGrpcPort, string address, string? content, HttpMethod method, string? token)
    {
        using var request = new HttpRequestMessage(method, new Uri(address))
        {
            Version = isGrpcPort ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        // No message at all: nothing is executed with any credential.
        if (content is not null)
        {
            request.Content = new ByteArrayContent([]);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(content);
        }

        request.Headers.TE.ParseAdd("trailers");
        request.Headers.Add("grpc-timeout", "10S");
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var response = await http.SendAsync(request, limit.Token);
        await response.Content.ReadAsByteArrayAsync(limit.Token);
        var status = response.Headers.TryGetValues("grpc-status", out var values)
            || response.TrailingHeaders.TryGetValues("grpc-status", out values)
            ? (StatusCode)int.Parse(values.Single(), System.Globalization.CultureInfo.InvariantCulture)
            : (StatusCode?)null;
        return new Answer(response.StatusCode, status);
    }

    /// <summary>Every route of a coordinator, with its methods and gRPC's response for unknown ones.</summary>
    private static async Task<IReadOnlyList<string>> RoutesAsync()
    {
        using var directory = new TemporaryDirectory();
        await using var application = CoordinatorApplication.Create(
            new CoordinatorOptions { DataDirectory = directory.Path, OwnsProcess = false }, new TaskHandlerRegistry());
        return [.. application.Routes.Select(
            route => "/" + route.TrimStart('/').Replace("{unimplementedService}", "unimplemented", StringComparison.Ordinal)
            .Replace("{unimplementedMethod:grpcunimplemented}", "unimplemented", StringComparison.Ordinal).Replace(
                "{unimplementedMethod}", "unimplemented", StringComparison.Ordinal).Replace(
                "{**path}", "app.css", StringComparison.Ordinal).Replace(
                "{service}/{method}", "orchestrator.v1.AdminService/GetStatus", StringComparison.Ordinal)).Distinct()];
    }

    private sealed record Answer(HttpStatusCode Status, StatusCode? Grpc)
    {
        public bool IsUnauthenticated => Status == HttpStatusCode.Unauthorized || Grpc == StatusCode.Unauthenticated;

        public bool IsForbidden => Status == HttpStatusCode.Forbidden || Grpc == StatusCode.PermissionDenied;

        public bool IsRefused => IsUnauthenticated || IsForbidden;
    }
}
