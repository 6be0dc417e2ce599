using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Coordinator;
using Orchestrator.Coordinator.Security;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.Worker;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Part 5, 18: every route and every method, on both ports, with every credential, whatever the request calls itself.</summary>
public sealed class RouteTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const string GrpcContent = "application/grpc";

    // Written down a second time: a route that comes to be answered without a credential is seen here.
    private static readonly string[] OpenRoutes = ["/healthz", "/readyz"];
    private static readonly string[] HttpRoutes = [.. OpenRoutes, "/metrics"];

    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private TokenFiles Files => new(_coordinator.DataDirectory, TimeProvider.System);

    /// <summary>Part 5, 18: each port answers its own routes only, and none but the open ones without a credential.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    [InlineData("expired")]
    [InlineData("observe")]
    [InlineData("submit")]
    [InlineData("operate")]
    public async Task Every_route_on_both_ports(string? credential)
    {
        var role = credential is not null && RoleNames.TryParse(credential, out var known) ? known : (Role?)null;
        var token = role is { } least ? Files.Create(least, TimeSpan.FromHours(1)).Token : credential == "expired" ? await ExpiredAsync() : credential;
        var routes = await RoutesAsync();
        Assert.True(routes.Count > 50, $"{routes.Count} routes");
        Assert.Superset(HttpRoutes.ToHashSet(), routes.ToHashSet());
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var route in routes)
        {
            foreach (var isGrpcPort in (bool[])[true, false])
            {
                foreach (var content in (string?[])[null, GrpcContent, GrpcContent + "+proto", "application/grpc-web", "text/html"])
                {
                    foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
                    {
                        var got = await AskAsync(http, isGrpcPort, route, content, method, token);
                        var fault = Fault(got, isGrpcPort, route, content, method, role);
                        Assert.True(fault is null, $"{method} {route} ({content}) on the {(isGrpcPort ? "gRPC" : "HTTP")} port with {credential ?? "no credential"}: {got}, {fault}");
                    }
                }
            }
        }
    }

    /// <summary>Part 5, 18: a stranger who is not on this machine, or comes through a proxy, is not told where the token lies.</summary>
    [Theory]
    [InlineData("X-Forwarded-For", "203.0.113.7")]
    [InlineData("Forwarded", "for=203.0.113.7")]
    [InlineData("Via", "1.1 proxy")]
    [InlineData(null, null)]
    public async Task Only_who_is_on_this_machine_is_told_where_the_token_lies(string? header, string? value)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_coordinator.HttpAddress + "/metrics"));
        if (header is not null)
            request.Headers.TryAddWithoutValidation(header, value);
        using var response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(header is null, (await response.Content.ReadAsStringAsync()).Contains(_coordinator.DataDirectory, StringComparison.Ordinal));
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_coordinator.GrpcAddress);
        var error = await RpcCatalogue.CallAsync(channel.CreateCallInvoker(), "orchestrator.v1.AdminService", "GetStatus", header is null ? [] : new Metadata { { header, value! } });
        Assert.Equal(StatusCode.Unauthenticated, error!.StatusCode);
        Assert.Equal(header is null, error.Status.Detail.Contains(_coordinator.DataDirectory, StringComparison.Ordinal));
    }

    /// <summary>Part 5, 18: the same for a request that comes from another machine, by its address.</summary>
    [Theory]
    [InlineData("203.0.113.7", "198.51.100.1", false)]
    [InlineData("198.51.100.1", "198.51.100.1", true)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("::1", "::1", true)]
    [InlineData(null, null, true)]
    public void The_address_tells_who_is_on_this_machine(string? remote, string? local, bool isTold)
    {
        using var directory = new TemporaryDirectory();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var store = new TokenStore(directory.Path, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<TokenStore>.Instance);
        var finder = new CallerFinder(
            store, new CoordinatorOptions { DataDirectory = directory.Path }, new SecurityInstruments(services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = local is null ? null : IPAddress.Parse(local);
        Assert.Null(finder.Find(context, out var fault));
        Assert.Equal(isTold, fault!.Contains(directory.Path, StringComparison.Ordinal));
        Assert.Contains("authorization: Bearer TOKEN", fault, StringComparison.Ordinal);
    }

    /// <summary>What is wrong with an answer; null where nothing is.</summary>
    private static string? Fault(Answer got, bool isGrpcPort, string route, string? content, HttpMethod method, Role? role)
    {
        var isOwn = HttpRoutes.Contains(route) != isGrpcPort;
        var isHealth = isGrpcPort && route.StartsWith("/grpc.health.v1.Health/", StringComparison.Ordinal) && method == HttpMethod.Post
            && !route.EndsWith("/unimplemented", StringComparison.Ordinal);
        var isOpen = !isGrpcPort && OpenRoutes.Contains(route) && method == HttpMethod.Get;
        if (isOpen || isHealth)
            return got.IsRefused ? "it is open" : isOpen && got.Status != HttpStatusCode.OK ? "it answers 200" : null;
        if (role is null)
            return got.IsUnauthenticated ? null : "a credential is needed";
        if (got.IsUnauthenticated)
            return "the credential is right";
        if (!isOwn)
            return got.Status == HttpStatusCode.NotFound || got.Grpc == StatusCode.Unimplemented ? null : "it belongs to the other port";
        if (!isGrpcPort)
            return method != HttpMethod.Get || got.Status == HttpStatusCode.OK ? null : "it answers 200";
        var rule = AccessRules.Find(route);
        if (method == HttpMethod.Post && rule is { } needed)
            return got.IsForbidden == (role < needed.Least) ? null : $"it needs the role {needed.Least}";
        return null;
    }

    private async Task<Answer> AskAsync(HttpClient http, bool isGrpcPort, string route, string? content, HttpMethod method, string? token)
    {
        using var request = new HttpRequestMessage(method, new Uri((isGrpcPort ? _coordinator.GrpcAddress : _coordinator.HttpAddress) + route))
        {
            Version = isGrpcPort ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        // No message at all: nothing is run, whoever asks.
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
        var status = response.Headers.TryGetValues("grpc-status", out var values) || response.TrailingHeaders.TryGetValues("grpc-status", out values)
            ? (StatusCode)int.Parse(values.Single(), System.Globalization.CultureInfo.InvariantCulture)
            : (StatusCode?)null;
        return new Answer(response.StatusCode, status);
    }

    /// <summary>Every route of a coordinator, with its methods and what gRPC answers where there is none.</summary>
    private static async Task<IReadOnlyList<string>> RoutesAsync()
    {
        using var directory = new TemporaryDirectory();
        await using var application = CoordinatorApplication.Create(new CoordinatorOptions { DataDirectory = directory.Path, OwnsProcess = false }, new TaskHandlerRegistry());
        return [.. application.Routes.Select(route => "/" + route.TrimStart('/').Replace("{unimplementedService}", "unimplemented", StringComparison.Ordinal)
            .Replace("{unimplementedMethod:grpcunimplemented}", "unimplemented", StringComparison.Ordinal).Replace("{unimplementedMethod}", "unimplemented", StringComparison.Ordinal)).Distinct()];
    }

    private async Task<string> ExpiredAsync()
    {
        var (entry, token) = Files.Create(Role.Operate, TimeSpan.FromMilliseconds(1));
        while (TimeProvider.System.GetUtcNow() <= entry.Expires)
            await Task.Yield();
        return token;
    }

    private sealed record Answer(HttpStatusCode Status, StatusCode? Grpc)
    {
        public bool IsUnauthenticated => Status == HttpStatusCode.Unauthorized || Grpc == StatusCode.Unauthenticated;

        public bool IsForbidden => Status == HttpStatusCode.Forbidden || Grpc == StatusCode.PermissionDenied;

        public bool IsRefused => IsUnauthenticated || IsForbidden;
    }
}
