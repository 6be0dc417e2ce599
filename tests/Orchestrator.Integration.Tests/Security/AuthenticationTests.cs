using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Without the token only health checks are answered, and the error says where the token is.</summary>
public sealed class AuthenticationTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private readonly CoordinatorProcess _coordinator = shared.Coordinator;

    private string TokenPath => Path.Combine(_coordinator.DataDirectory, "token");

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer ")]
    [InlineData("Bearer wrong")]
    [InlineData("Basic TOKEN")]
    [InlineData("TOKEN")]
    [InlineData("Bearer TOKEN0")]
    [InlineData("Bearer TOKEN TOKEN")]
    public async Task Every_method_of_every_service_is_refused_without_the_token(string? authorization)
    {
        var headers = new Metadata();
        if (authorization is not null)
            headers.Add("authorization", authorization.Replace("TOKEN", _coordinator.Token, StringComparison.Ordinal));
        var methods = await RpcCatalogue.ReadAsync(_coordinator.Invoker);
        // The tasks, the administration and reflection itself.
        Assert.True(methods.Count >= 15, string.Join(", ", methods));
        using var channel = Open();
        foreach (var (service, method) in methods)
        {
            var error = await RpcCatalogue.CallAsync(channel.CreateCallInvoker(), service, method, headers);
            Assert.True(error?.StatusCode == StatusCode.Unauthenticated,
                $"{service}/{method} answered {error?.Status.ToString() ?? "with success"}");
            Assert.Contains(TokenPath, error!.Status.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain(_coordinator.Token, error.Status.Detail, StringComparison.Ordinal);
            var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
            Assert.Equal(("UNAUTHENTICATED", "orchestrator"), (info.Reason, info.Domain));
        }
    }

    [Fact]
    public async Task With_the_token_no_method_of_any_service_is_unauthenticated_or_unknown()
    {
        // The calls of the last test exist: with a token the same calls pass the authentication.
        using var channel = Open();
        var headers = new Metadata { { "Authorization", $"bearer {_coordinator.Token}" } };
        foreach (var (service, method) in (await RpcCatalogue.ReadAsync(_coordinator.Invoker)).Where(item => IsHarmless(item.Method)))
        {
            var error = await RpcCatalogue.CallAsync(channel.CreateCallInvoker(), service, method, headers);
            Assert.True(
                error?.StatusCode is not (StatusCode.Unauthenticated or StatusCode.Unimplemented), $"{service}/{method}: {error?.Status}");
        }
    }

    [Fact]
    public async Task Health_is_open()
    {
        using var channel = Open();
        foreach (var service in new[] { "", "orchestrator.v1.TaskService" })
        {
            var answer = await new Health.HealthClient(channel).CheckAsync(
                new HealthCheckRequest { Service = service }, CoordinatorProcess.Deadline());
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
        }
    }

    [Theory]
    [InlineData("/healthz", "ok")]
    [InlineData("/readyz", "ready")]
    public async Task Http_probes_answer_without_the_token(string path, string expected)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(_coordinator.HttpAddress),
            Timeout = TimeSpan.FromSeconds(10)
        };
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected, (await response.Content.ReadAsStringAsync()).Trim());
    }

    [Fact]
    public void Only_its_owner_can_read_the_token_and_it_is_not_printed()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(TokenPath));
        Assert.Equal(64, _coordinator.Token.Length);
        Assert.DoesNotContain(_coordinator.Token, _coordinator.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            _coordinator.Token, File.ReadAllText(Path.Combine(_coordinator.DataDirectory, "endpoint.json")), StringComparison.Ordinal);
    }

    /// <summary>Calls that have no effect with an empty message, and end by themselves.</summary>
    private static bool IsHarmless(string method) =>
        method.StartsWith("Get", StringComparison.Ordinal) || method.StartsWith("List", StringComparison.Ordinal) || method == "RunTask";

    private GrpcChannel Open() => GrpcChannel.ForAddress(
        _coordinator.GrpcAddress,
        new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { UseProxy = false }, DisposeHttpClient = true });
}
