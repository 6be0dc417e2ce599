using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Client.Connection;
using Orchestrator.V1;

namespace Orchestrator.Client.Tests;

/// <summary>A minimal coordinator on a real socket: the test scripts its responses and reads its requests.</summary>
internal sealed class ScriptedCoordinator : IAsyncDisposable
{
    public const string Token = "sesame";

    private readonly WebApplication _app;
    private readonly Service _service;

    private ScriptedCoordinator(WebApplication app, Service service)
    {
        _app = app;
        _service = service;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        File.WriteAllText(Path.Combine(DataDirectory, "token"), Token + "\n");
        File.WriteAllText(
            Path.Combine(DataDirectory, "endpoint.json"), JsonSerializer.Serialize(new { grpc = address, http = "", pid = 1 }));
    }

    public string DataDirectory { get; } = Directory.CreateTempSubdirectory("orchestrator-test-").FullName;

    /// <summary>The requests of all streams, in order of arrival.</summary>
    public ChannelReader<StreamTasksRequest> Requests => _service.Requests.Reader;

    /// <summary>The authorization headers of all calls.</summary>
    public ChannelReader<string> Tokens => _service.Tokens.Reader;

    public static async Task<ScriptedCoordinator> StartAsync(
        Func<IAsyncStreamReader<StreamTasksRequest>, IServerStreamWriter<StreamTasksResponse>, Task>? stream = null,
        Func<RunTaskRequest, Task<RunTaskResponse>>? run = null)
    {
        var service = new Service(
            stream ?? EchoAsync, run ?? (request => Task.FromResult(new RunTaskResponse { Result = Succeed(request.Task) })));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        builder.Services.AddSingleton(new Admin());
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.MapGrpcService<Service>();
        app.MapGrpcService<Admin>();
        await app.StartAsync();
        return new ScriptedCoordinator(app, service);
    }

    public Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = DataDirectory });

    public static TaskResult Succeed(TaskSpec task) =>
        new() { TaskId = task.Tag + 1, Tag = task.Tag, State = TaskState.Succeeded, Output = task.Input };

    public static async Task EchoAsync(IAsyncStreamReader<StreamTasksRequest> requests, IServerStreamWriter<StreamTasksResponse> responses)
    {
        await responses.WriteAsync(new StreamTasksResponse { Credits = 4_096 });
        while (await requests.MoveNext())
        {
            var response = new StreamTasksResponse { Credits = 4_096 };
            response.Results.AddRange(requests.Current.Tasks.Select(Succeed));
            await responses.WriteAsync(response);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(DataDirectory, recursive: true);
    }

    internal sealed class Service(
        Func<IAsyncStreamReader<StreamTasksRequest>, IServerStreamWriter<StreamTasksResponse>, Task> stream,
        Func<RunTaskRequest, Task<RunTaskResponse>> run) : TaskService.TaskServiceBase
    {
        public Channel<StreamTasksRequest> Requests { get; } = Channel.CreateUnbounded<StreamTasksRequest>();

        public Channel<string> Tokens { get; } = Channel.CreateUnbounded<string>();

        public override Task<RunTaskResponse> RunTask(RunTaskRequest request, ServerCallContext context)
        {
            Record(context);
            return run(request);
        }

        public override Task StreamTasks(
            IAsyncStreamReader<StreamTasksRequest> requestStream,
            IServerStreamWriter<StreamTasksResponse> responseStream,
            ServerCallContext context)
        {
            Record(context);
            return stream(new Tap(requestStream, Requests.Writer), responseStream);
        }

        public override Task WatchTasks(
            WatchTasksRequest request, IServerStreamWriter<WatchTasksResponse> responseStream, ServerCallContext context)
        {
            Record(context);
            return Task.CompletedTask;
        }

        private void Record(ServerCallContext context) => Tokens.Writer.TryWrite(context.RequestHeaders.GetValue("authorization") ?? "");
    }

    internal sealed class Admin : AdminService.AdminServiceBase
    {
        public override Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context) =>
            context.RequestHeaders.GetValue("authorization") == "Bearer " + Token
                ? Task.FromResult(new GetStatusResponse { Status = new ServiceStatus { Version = "scripted" } })
                : throw new RpcException(new Status(StatusCode.Unauthenticated, "no such token"));
    }

    private sealed class Tap(IAsyncStreamReader<StreamTasksRequest> inner, ChannelWriter<StreamTasksRequest> seen)
        : IAsyncStreamReader<StreamTasksRequest>
    {
        public StreamTasksRequest Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var more = await inner.MoveNext(cancellationToken);
            if (more)
                seen.TryWrite(inner.Current);
            return more;
        }
    }
}
