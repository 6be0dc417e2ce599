using System.Net;
using Google.Rpc;
using Grpc.Core;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Who may call what: every method and every route, by every role.</summary>
public sealed class RoleTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private TokenFiles Files => new(_coordinator.DataDirectory, TimeProvider.System);

    // Written down a second time instead of read from the rules, so that an accidental change of a rule shows here.
    private static readonly Dictionary<string, Role> Expected = new()
    {
        ["TaskService"] = Role.Submit,
        ["TaskService/GetTask"] = Role.Observe,
        ["TaskService/ListTasks"] = Role.Observe,
        ["TaskService/WaitTasks"] = Role.Observe,
        ["TaskService/WatchTasks"] = Role.Observe,
        ["TaskService/ListHandlers"] = Role.Observe,
        ["AdminService"] = Role.Observe,
        ["AdminService/ScaleWorkers"] = Role.Operate,
        ["AdminService/RecycleWorkers"] = Role.Operate,
        ["AdminService/Drain"] = Role.Operate,
        ["AdminService/InjectFault"] = Role.Operate,
        ["AdminService/RunComparison"] = Role.Operate,
        ["SessionService"] = Role.Submit,
        ["QueueService"] = Role.Submit,
        ["QueueService/GetQueue"] = Role.Observe,
        ["QueueService/ListQueues"] = Role.Observe,
        ["QueueService/PeekQueue"] = Role.Operate,
        ["PipeService"] = Role.Submit,
        ["PipeService/ListPipes"] = Role.Observe,
        ["StateService"] = Role.Submit,
        ["StateService/ReadDict"] = Role.Observe,
        ["StateService/ReadList"] = Role.Observe,
        ["StateService/ReadValue"] = Role.Observe,
        ["StateService/ReadArray"] = Role.Observe,
        ["StateService/WatchState"] = Role.Observe,
        ["StateService/ListState"] = Role.Observe,
        ["SyncService"] = Role.Submit,
        ["SyncService/ListSync"] = Role.Observe,
    };

    private static Role ExpectedOf(string service, string method)
    {
        if (service.StartsWith(RpcCatalogue.Reflection, StringComparison.Ordinal))
            return Role.Observe;
        var name = service["orchestrator.v1.".Length..];
        return Expected.TryGetValue($"{name}/{method}", out var role) ? role : Expected[name];
    }

    [Theory]
    [InlineData(Role.Observe)]
    [InlineData(Role.Submit)]
    [InlineData(Role.Operate)]
    public async Task A_role_may_call_exactly_what_it_includes(Role role)
    {
        var (entry, token) = Files.Create(role, TimeSpan.FromHours(1));
        var invoker = _coordinator.Connect(token);
        foreach (var (service, method) in await RpcCatalogue.ReadAsync(_coordinator.Invoker))
        {
            var least = ExpectedOf(service, method);
            // With this role's rights these calls would end the coordinator or its workers.
            if (least == Role.Operate && role == Role.Operate)
                continue;
            var error = await RpcCatalogue.CallAsync(invoker, service, method);
            if (role >= least)
            {
                Assert.True(error?.StatusCode is not (StatusCode.Unauthenticated or StatusCode.PermissionDenied
                    or StatusCode.Unimplemented), $"{service}/{method}: {error?.Status}");
                continue;
            }

            Assert.True(error?.StatusCode == StatusCode.PermissionDenied, $"{service}/{method}: {error?.Status.ToString() ?? "success"}");
            Assert.Equal("PERMISSION_DENIED", error!.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
            Assert.Contains($"needs the role {RoleNames.Of(least)}, and {entry.Id} has {RoleNames.Of(role)}", error!.Status.Detail,
                StringComparison.Ordinal);
        }

        if (role == Role.Operate)
            Assert.Equal(2, (await new AdminService.AdminServiceClient(invoker).ScaleWorkersAsync(
                new ScaleWorkersRequest { Workers = 2 }, CoordinatorProcess.Deadline())).Workers);
    }

    [Fact]
    public async Task An_expired_token_opens_nothing_and_says_so()
    {
        // Already expired at its first use, so no test waits for it.
        var (entry, token) = Files.Create(Role.Operate, TimeSpan.FromMilliseconds(1), "short-lived");
        while (TimeProvider.System.GetUtcNow() <= entry.Expires)
            await Task.Yield();
        foreach (var (service, method) in await RpcCatalogue.ReadAsync(_coordinator.Invoker))
        {
            var error = await RpcCatalogue.CallAsync(_coordinator.Connect(token), service, method);
            Assert.True(error?.StatusCode == StatusCode.Unauthenticated, $"{service}/{method}: {error?.Status.ToString() ?? "success"}");
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync("/anything", token));
    }

    [Fact]
    public async Task A_revoked_token_ends_while_the_coordinator_runs()
    {
        var (entry, token) = Files.Create(Role.Observe, null);
        var client = new AdminService.AdminServiceClient(_coordinator.Connect(token));
        await client.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline());
        Assert.True(Files.Revoke(entry.Id));
        Assert.False(Files.Revoke(entry.Id));
        await EndAsync(client);
    }

    [Theory]
    [InlineData("/healthz", true)]
    [InlineData("/readyz", true)]
    [InlineData("/", true)]
    [InlineData("/metrics", false)]
    [InlineData("/healthz/../secret", false)]
    [InlineData("/no/such/thing", false)]
    [InlineData("/orchestrator.v1.AdminService/GetStatus", false)]
    public async Task Http_routes_but_the_probes_need_a_credential(string path, bool open)
    {
        var (_, observer) = Files.Create(Role.Observe, TimeSpan.FromHours(1));
        Assert.Equal(open ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, await GetAsync(path, null));
        Assert.Equal(open ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, await GetAsync(path, "wrong"));
        var known = await GetAsync(path, observer);
        Assert.True(known is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden), $"{path}: {known}");
    }

    [Theory]
    [InlineData("evil.example", null, HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.evil.example", null, HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost", null, HttpStatusCode.OK)]
    [InlineData("127.0.0.1:7601", null, HttpStatusCode.OK)]
    [InlineData("[::1]", null, HttpStatusCode.OK)]
    [InlineData("localhost", "http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("localhost", "null", HttpStatusCode.Forbidden)]
    [InlineData("localhost", "http://localhost", HttpStatusCode.OK)]
    public async Task Pages_of_the_web_cannot_reach_it_through_a_browser(string host, string? origin, HttpStatusCode expected)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(_coordinator.HttpAddress + "/healthz"))
        { Headers = { Host = host } };
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        using var response = await http.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    private static async Task EndAsync(AdminService.AdminServiceClient client)
    {
        while (true)
        {
            try
            {
                await client.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline());
            }
            catch (RpcException exception)
            {
                Assert.Equal(StatusCode.Unauthenticated, exception.StatusCode);
                return;
            }
        }
    }

    private async Task<HttpStatusCode> GetAsync(string path, string? token)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_coordinator.HttpAddress + path));
        if (token is not null)
            request.Headers.Add("Authorization", "Bearer " + token);
        using var response = await http.SendAsync(request);
        return response.StatusCode;
    }
}
