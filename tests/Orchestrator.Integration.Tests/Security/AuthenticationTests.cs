using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Orchestrator.Integration.Tests.Scenarios;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Nothing but health answers without the token, and whoever lacks it is told where it lies.</summary>
public sealed class AuthenticationTests(SharedCoordinator shared) : IClassFixture<SharedCoordinator>
{
    private const string Health = "grpc.health.v1.Health";

    private static readonly Marshaller<byte[]> Raw = Marshallers.Create(bytes => bytes, bytes => bytes);

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
        var methods = await MethodsAsync();
        // The tasks, the administration and reflection itself.
        Assert.True(methods.Count >= 15, string.Join(", ", methods));
        using var channel = Open();
        foreach (var (service, method) in methods)
        {
            var error = await CallAsync(channel, service, method, headers);
            Assert.True(error?.StatusCode == StatusCode.Unauthenticated, $"{service}/{method} answered {error?.Status.ToString() ?? "with success"}");
            Assert.Contains(TokenPath, error!.Status.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain(_coordinator.Token, error.Status.Detail, StringComparison.Ordinal);
            var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
            Assert.Equal(("UNAUTHENTICATED", "orchestrator"), (info.Reason, info.Domain));
        }
    }

    [Fact]
    public async Task With_the_token_no_method_of_any_service_is_unauthenticated_or_unknown()
    {
        // What the last test calls really exists: the same calls get past the door.
        using var channel = Open();
        var headers = new Metadata { { "Authorization", $"bearer {_coordinator.Token}" } };
        foreach (var (service, method) in (await MethodsAsync()).Where(item => IsHarmless(item.Method)))
        {
            var error = await CallAsync(channel, service, method, headers);
            Assert.True(error?.StatusCode is not (StatusCode.Unauthenticated or StatusCode.Unimplemented), $"{service}/{method}: {error?.Status}");
        }
    }

    [Fact]
    public async Task Health_is_open()
    {
        using var channel = Open();
        foreach (var service in new[] { "", "orchestrator.v1.TaskService" })
        {
            var answer = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = service }, CoordinatorProcess.Deadline());
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);
        }
    }

    [Theory]
    [InlineData("/healthz", "ok")]
    [InlineData("/readyz", "ready")]
    public async Task Http_probes_answer_without_the_token(string path, string expected)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(_coordinator.HttpAddress), Timeout = TimeSpan.FromSeconds(10) };
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
        Assert.DoesNotContain(_coordinator.Token, File.ReadAllText(Path.Combine(_coordinator.DataDirectory, "endpoint.json")), StringComparison.Ordinal);
    }

    /// <summary>Calls that change nothing when they carry an empty message, and end by themselves.</summary>
    private static bool IsHarmless(string method) =>
        method.StartsWith("Get", StringComparison.Ordinal) || method.StartsWith("List", StringComparison.Ordinal) || method == "RunTask";

    private GrpcChannel Open() => GrpcChannel.ForAddress(
        _coordinator.GrpcAddress, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { UseProxy = false }, DisposeHttpClient = true });

    /// <summary>All methods but those of health, as the coordinator itself describes them.</summary>
    private async Task<IReadOnlyList<(string Service, string Method)>> MethodsAsync()
    {
        var client = new ServerReflection.ServerReflectionClient(_coordinator.Invoker);
        using var call = client.ServerReflectionInfo(CoordinatorProcess.Deadline());
        var methods = new List<(string, string)>();
        foreach (var service in (await AskAsync(new ServerReflectionRequest { ListServices = "*" })).ListServicesResponse.Service.Select(service => service.Name))
        {
            if (service == Health)
                continue;
            var files = (await AskAsync(new ServerReflectionRequest { FileContainingSymbol = service })).FileDescriptorResponse.FileDescriptorProto;
            var described = files.Select(file => FileDescriptorProto.Parser.ParseFrom(file))
                .SelectMany(file => file.Service.Select(item => (Name: $"{file.Package}.{item.Name}", item.Method)))
                .First(item => item.Name == service);
            methods.AddRange(described.Method.Select(method => (service, method.Name)));
        }

        return methods;

        async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            return call.ResponseStream.Current;
        }
    }

    /// <summary>
    /// One empty message and the end of the requests: on the wire that is a call of any shape. Returns the error; null after a success.
    /// </summary>
    private static async Task<RpcException?> CallAsync(GrpcChannel channel, string service, string method, Metadata headers)
    {
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            new Method<byte[], byte[]>(MethodType.DuplexStreaming, service, method, Raw, Raw), null, CoordinatorProcess.Deadline(10).WithHeaders(headers));
        try
        {
            await call.RequestStream.WriteAsync([]);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // It was refused before it had been sent; the reason comes with the answer.
        }

        try
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
            }

            return null;
        }
        catch (RpcException exception)
        {
            return exception;
        }
    }
}
