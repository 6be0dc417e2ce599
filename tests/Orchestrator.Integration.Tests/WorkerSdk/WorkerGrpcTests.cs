using System.Net.Sockets;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Orchestrator.TestKit;
using Orchestrator.V1;
using Orchestrator.Worker.V1;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>Workers that serve gRPC on sockets of their own, beside the direct stream.</summary>
public sealed class WorkerGrpcTests
{
    private const string Name = "orchestrator.worker.v1.WorkerService";

    [Fact]
    public async Task A_worker_can_be_looked_at_with_grpc_tools_and_serves_its_coordinator_only()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0", "--worker-grpc");
        using var channel = Connect(Assert.Single(Sockets(coordinator)));
        var answer = await new Health.HealthClient(channel).CheckAsync(
            new HealthCheckRequest { Service = Name }, CoordinatorProcess.Deadline());
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, answer.Status);

        using var reflection = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(CoordinatorProcess.Deadline());
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, TestContext.Current.CancellationToken);
        Assert.True(await reflection.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Contains(Name, reflection.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name));

        using var execute = new WorkerService.WorkerServiceClient(channel).Execute(CoordinatorProcess.Deadline());
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => execute.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo"))).State);
    }

    [Fact]
    public async Task Without_the_option_a_worker_serves_no_socket()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--hot-spares", "0");
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("echo"))).State);
        Assert.Empty(Sockets(coordinator));
    }

    [Fact]
    public async Task The_option_is_refused_for_a_worker_command_of_the_user()
    {
        var (code, output) = await CommandLine.RunAsync("serve", "--worker-command", "./my-worker", "--worker-grpc");
        Assert.Equal(2, code);
        Assert.Contains("UseGrpcServer", output, StringComparison.Ordinal);
    }

    private static string[] Sockets(CoordinatorProcess coordinator) =>
        Directory.GetFiles(Path.Combine(coordinator.DataDirectory, "run"), "w-*.sock", SearchOption.AllDirectories);

    private static GrpcChannel Connect(string socket) => GrpcChannel.ForAddress("http://worker", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        },
    });
}
