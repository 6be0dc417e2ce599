using System.Runtime.InteropServices;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Orchestrator.Contracts.Passthrough;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker;

/// <summary>Serves <c>orchestrator.worker.v1.WorkerService</c>: one Execute stream at a time.</summary>
internal sealed class WorkerServiceAdapter(WorkerRuntime runtime) : WorkerPassthrough.WorkerBase
{
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromMilliseconds(500);

    public override async Task Execute(
        IAsyncStreamReader<PassExecuteRequest> requestStream,
        IServerStreamWriter<PassExecuteResponse> responseStream,
        ServerCallContext context)
    {
        if (!runtime.TryAttach())
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "another Execute stream is open; a worker has one coordinator"));

        var end = StreamEnd.Broken;
        try
        {
            await runtime.Ready;
            await responseStream.WriteAsync(new PassExecuteResponse { Hello = CreateHello() });
            end = await RunAsync(requestStream, responseStream, context);
        }
        finally
        {
            runtime.Detach(end);
        }
    }

    private async Task<StreamEnd> RunAsync(
        IAsyncStreamReader<PassExecuteRequest> requestStream, IServerStreamWriter<PassExecuteResponse> responseStream, ServerCallContext context)
    {
        PulseThread? pulse = null;
        var responses = new ResponseBatcher(responseStream.WriteAsync, () => pulse!.Signal());
        await using var executor = new TaskExecutor(
            runtime.Handlers, runtime.Services, runtime.Layout, responses, runtime.Recorder, runtime.Time)
        {
            WorkerName = $"{runtime.Launch.Name}#{runtime.Launch.Incarnation}",
        };
        var meter = new VitalsMeter(runtime.Time);
        using var beating = pulse = new PulseThread(
            s_heartbeat,
            runtime.Time,
            responses.Write,
            () =>
            {
                responses.Beat(meter.Read(executor.Running, executor.Waiting));
                responses.Write();
            });
        pulse.Start();

        await using var draining = runtime.DrainRequested.UnsafeRegister(static state => ((TaskExecutor)state!).Drain(), executor);
        var session = new ExecuteSession(
            requestStream, responses, executor, name => executor.WorkerName = name, runtime.Time, context.CancellationToken);
        var end = await session.RunAsync();
        if (end == StreamEnd.Clean)
            await responses.CloseAsync();
        if (!session.IsHalfClosed)
            runtime.OpenConnection = context.GetHttpContext().Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed;
        return end;
    }

    private Hello CreateHello()
    {
        var hello = new Hello
        {
            Name = runtime.Launch.Name,
            Incarnation = runtime.Launch.Incarnation,
            Pid = Environment.ProcessId,
            Runtime = $"dotnet {Environment.Version} {RuntimeInformation.RuntimeIdentifier}",
            RecordsFlight = runtime.Recorder is not null,
            CpuSlots = runtime.Layout.CpuSlots,
            BlockingSlots = runtime.Layout.BlockingSlots,
            IoSlots = runtime.Layout.IoSlots,
        };
        foreach (var task in runtime.Handlers.Handlers)
            hello.Handlers.Add(task.ToHandlerInfo());
        return hello;
    }
}
