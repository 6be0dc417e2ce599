using System.Diagnostics;
using System.Text.Json;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Orchestrator.Protocol;
using Orchestrator.TestKit.History;
using Orchestrator.TestKit.LockOrders;
using Orchestrator.V1;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.TestKit;

/// <summary>
/// A worker with the handlers of this kit. The test program becomes it where an environment variable asks for it, so that no other program
/// has to be built and found; the handlers are here because the test program's own assembly is still being initialized while it is a
/// worker.
/// </summary>
public static class TestWorker
{
    /// <summary>The variable whose presence makes the test program this worker.</summary>
    public const string Variable = "ORCHESTRATOR_TESTKIT_WORKER";

    /// <summary>The variable with the address of the OpenTelemetry collector for spans of attempts.</summary>
    public const string CollectorVariable = "ORCHESTRATOR_TESTKIT_COLLECTOR";

    /// <summary>The handler that is a <see cref="HistoryClient"/> with the session of its task.</summary>
    public const string HistoryHandler = "history_client";

    /// <summary>
    /// The handler that runs <see cref="LockOrderClient"/>s against the coordinator in its input; it writes a <see cref="LockOrderReport"/>
    /// to the file in its input.
    /// </summary>
    public const string LockOrderHandler = "lock_orders";

    /// <summary>
    /// The handler that sends numbers at its end of a pipe, each after it has received the previous one back; its output is how many came
    /// back.
    /// </summary>
    public const string PipeAskHandler = "pipe_ask";

    /// <summary>The arguments by which a coordinator starts one such worker beside its own, in a group of its own.</summary>
    /// <param name="program">The test program, such as <see cref="Environment.ProcessPath"/>.</param>
    public static string[] ArgumentsBeside(string program) => ["--worker-command", $"testkit=1:/usr/bin/env {Variable}=1 {program}"];

    /// <summary>The arguments by which a coordinator starts such workers from this test program.</summary>
    /// <param name="program">The test program, such as <see cref="Environment.ProcessPath"/>.</param>
    public static string[] Arguments(string program) => ["--worker-command", $"/usr/bin/env {Variable}=1 {program}"];

    /// <summary>Serves until the coordinator exits; returns the exit code.</summary>
    public static int Run()
    {
        if (Environment.GetEnvironmentVariable(Variable) == HostedTestWorker.Value)
            return HostedTestWorker.Run();
        var worker = OrchestratorWorker.CreateBuilder([]);
        worker.MapTask(HistoryHandler, async (HistoryInput input, TaskContext context) =>
        {
            using var recorder = new HistoryRecorder(input.Directory, context.SessionId);
            await new HistoryClient(context.Session, context.SessionId, input.Seed, recorder)
                .RunAsync(input.Steps, context.CancellationToken);
            return recorder.Operations;
        });
        worker.MapTask(LockOrderHandler, (LockOrderInput input) => RunOrdersAsync(input));
        worker.MapTask(
            PipeAskHandler, (PipeAskInput input, TaskContext context) => AskAsync(input, context, context.CancellationToken));
        TestHandlers.Register(worker);
        using var traces = ExportTraces();
        // As OpenTelemetry's AddSource does.
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == TaskContext.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        return worker.RunAsync().GetAwaiter().GetResult();
    }

    /// <summary>Where a collector is named, spans of attempts go there, as a worker's program would send them.</summary>
    private static TracerProvider? ExportTraces() => Environment.GetEnvironmentVariable(CollectorVariable) is not { Length: > 0 } address
        ? null
        : Sdk.CreateTracerProviderBuilder().AddSource(TaskContext.ActivitySourceName)
            .AddOtlpExporter(otlp => (otlp.Endpoint, otlp.ExportProcessorType) = (new Uri(address), ExportProcessorType.Simple)).Build();

    private static async Task<int> AskAsync(PipeAskInput input, TaskContext context, CancellationToken cancellationToken)
    {
        await using var end = context.Pipe<Payload>(input.Pipe).EndA;
        for (var i = 0; i < input.Count; i++)
        {
            await end.SendAsync(Payloads.FromNumber(i), cancellationToken);
            var echo = await end.ReceiveAsync(cancellationToken)
                ?? throw new InvalidOperationException($"the end of file came instead of the echo of {i}");
            if (echo.Json.NumberValue != i)
                throw new InvalidOperationException($"{echo.Json} came back instead of {i}");
        }

        return input.Count;
    }

    /// <summary>Several clients at a time, each with its own session, until this many orders are done or the time is over.</summary>
    private static async Task<int> RunOrdersAsync(LockOrderInput input)
    {
        using var channel = GrpcChannel.ForAddress(input.Address,
            new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, UseProxy = false } });
        var invoker = channel.Intercept(metadata =>
        {
            metadata.Add(ProtocolConstants.AuthorizationHeader, ProtocolConstants.BearerPrefix + input.Token);
            return metadata;
        });
        var (left, had) = (input.Orders, 0);
        var clock = Stopwatch.StartNew();
        var attempts = await Task.WhenAll(Enumerable.Range(0, input.Clients).Select(async number =>
        {
            var sessions = new SessionService.SessionServiceClient(invoker);
            var create = new CreateSessionRequest { DisplayName = $"orders {input.Seed}.{number}", Ttl = Specs.Seconds(600) };
            var session = (await sessions.CreateSessionAsync(create, CoordinatorProcess.Deadline())).SessionId;
            var client = new LockOrderClient(
                new SyncService.SyncServiceClient(invoker), session, (input.Seed * 1000) + number, TimeSpan.FromSeconds(30));
            while (Interlocked.Decrement(ref left) >= 0 && clock.Elapsed.TotalSeconds < input.Seconds)
            {
                if (await client.RunOrderAsync())
                    Interlocked.Increment(ref had);
            }

            await sessions.CloseSessionAsync(new CloseSessionRequest { SessionId = session }, CoordinatorProcess.Deadline());
            return client.Attempts;
        }));
        // It may exceed a task's output limit.
        await File.WriteAllBytesAsync(
            input.Path, JsonSerializer.SerializeToUtf8Bytes(new LockOrderReport(had, [.. attempts.SelectMany(list => list)])));
        return had;
    }

    internal sealed record HistoryInput(string Directory, int Seed, int Steps);

    internal sealed record PipeAskInput(string Pipe, int Count);

    internal sealed record LockOrderInput(string Address, string Token, int Seed, int Clients, int Orders, double Seconds, string Path);
}
