using System.Net;
using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.V1;
using static Orchestrator.Integration.Tests.Scenarios.Objects.ObjectCalls;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>A coordinator on a real socket whose responses about objects named "deep" are deeper than generated code reads.</summary>
internal sealed class DeepServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _directory = Directory.CreateTempSubdirectory("orchestrator-test-").FullName;
    private readonly Counter _counter;

    private DeepServer(WebApplication app, Counter counter)
    {
        (_app, _counter) = (app, counter);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        File.WriteAllText(Path.Combine(_directory, "token"), "sesame\n");
        File.WriteAllText(
            Path.Combine(_directory, "endpoint.json"), JsonSerializer.Serialize(new { grpc = address, http = "", pid = 1 }));
    }

    public int Connections => _counter.Connections;

    public static async Task<DeepServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        var counter = new Counter();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(counter);
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.MapGrpcService<Sessions>();
        app.MapGrpcService<DeepTasks>();
        app.MapGrpcService<DeepState>();
        await app.StartAsync();
        return new DeepServer(app, counter);
    }

    public Task<OrchestratorClient> ConnectAsync() =>
        OrchestratorClient.ConnectAsync(new OrchestratorClientOptions { DataDirectory = _directory, VerifyOnConnect = false });

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    internal sealed class Counter
    {
        public int Connections;
    }

    internal sealed class Sessions(Counter counter) : SessionService.SessionServiceBase
    {
        public override Task<CloseSessionResponse> CloseSession(CloseSessionRequest request, ServerCallContext context) =>
            Task.FromResult(new CloseSessionResponse());

        public override async Task Connect(IAsyncStreamReader<ConnectRequest> requestStream,
            IServerStreamWriter<ConnectResponse> responseStream, ServerCallContext context)
        {
            Interlocked.Increment(ref counter.Connections);
            await responseStream.WriteAsync(new ConnectResponse { SessionId = "session-1" });
            while (await requestStream.MoveNext())
            {
                var response = new ConnectResponse();
                foreach (var operation in requestStream.Current.Operations)
                {
                    var value = operation.ReadDict.Dict == "deep" ? NestedValueTests.Arrays(60) : Text("x");
                    response.Outcomes.Add(new Outcome
                    {
                        OperationId = operation.OperationId,
                        ReadDict = new ReadDictResponse { Entries = { new DictEntry { Key = "k", Value = value } } }
                    });
                }

                await responseStream.WriteAsync(response);
            }
        }
    }

    internal sealed class DeepTasks : TaskService.TaskServiceBase
    {
        public override async Task StreamTasks(IAsyncStreamReader<StreamTasksRequest> requestStream,
            IServerStreamWriter<StreamTasksResponse> responseStream, ServerCallContext context)
        {
            await responseStream.WriteAsync(new StreamTasksResponse { Credits = 100 });
            while (await requestStream.MoveNext())
            {
                var response = new StreamTasksResponse();
                foreach (var task in requestStream.Current.Tasks)
                    response.Results.Add(new TaskResult
                    {
                        TaskId = task.Tag,
                        Tag = task.Tag,
                        State = TaskState.Succeeded,
                        Output = task.Handler == "deep" ? NestedValueTests.Arrays(60) : Text("x")
                    });
                await responseStream.WriteAsync(response);
            }
        }
    }

    internal sealed class DeepState : StateService.StateServiceBase
    {
        public override Task WatchState(
            WatchStateRequest request, IServerStreamWriter<WatchStateResponse> responseStream, ServerCallContext context) =>
            responseStream.WriteAsync(
                new WatchStateResponse { Version = 1, DictSet = new DictEntry { Key = "k", Value = NestedValueTests.Arrays(60) } });
    }
}
