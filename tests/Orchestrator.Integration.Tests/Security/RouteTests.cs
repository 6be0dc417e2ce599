using System.Net;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Part 5, 18: every route and every method, on both ports, with every credential, whatever the request claims to be.</summary>
[Trait("Kind", "slow")]
public sealed class RouteTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private TokenFiles Files => new(_coordinator.DataDirectory, TimeProvider.System);

    /// <summary>Part 5, 18: each port serves only its own routes, and without a credential only the open ones.</summary>
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
        var token = role is { } least ? Files.Create(least, TimeSpan.FromHours(1)).Token : credential == "expired"
            ? await ExpiredAsync() : credential;
        await RouteMatrix.TryAllAsync(_coordinator.GrpcAddress, _coordinator.HttpAddress, credential ?? "no credential", token, role);
    }

    /// <summary>Part 5, 18: a stranger from another machine, or behind a proxy, does not learn the token's path.</summary>
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
        Assert.Equal(
            header is null, (await response.Content.ReadAsStringAsync()).Contains(_coordinator.DataDirectory, StringComparison.Ordinal));
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_coordinator.GrpcAddress);
        var error = await RpcCatalogue.CallAsync(channel.CreateCallInvoker(), "orchestrator.v1.AdminService", "GetStatus", header is null
            ? [] : new Metadata { { header, value! } });
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
        using var store = new TokenStore(
            directory.Path, null, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<TokenStore>.Instance);
        var finder = new Authenticator(
            store, new CoordinatorOptions { DataDirectory = directory.Path }, new SecurityInstruments());
        var context = new Microsoft.AspNetCore.Http.DefaultHttpContext();
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = local is null ? null : IPAddress.Parse(local);
        Assert.Null(finder.Find(new HttpCallOrigin(context), out var fault));
        Assert.Equal(isTold, fault!.Contains(directory.Path, StringComparison.Ordinal));
        Assert.Contains("authorization: Bearer TOKEN", fault, StringComparison.Ordinal);
    }

    private async Task<string> ExpiredAsync()
    {
        var (entry, token) = Files.Create(Role.Operate, TimeSpan.FromMilliseconds(1));
        while (TimeProvider.System.GetUtcNow() <= entry.Expires)
            await Task.Yield();
        return token;
    }
}
