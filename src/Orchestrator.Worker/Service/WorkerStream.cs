using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Service;

/// <summary>The coordinator's one stream of orders, over any transport: sends Hello, then runs the orders until the end.</summary>
internal static class WorkerStream
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(500);

    /// <param name="runtime">The process's singletons.</param>
    /// <param name="write">Writes a message; never called while an earlier call is unfinished.</param>
    /// <param name="read">Reads and carries out orders until the end.</param>
    public static async Task<StreamEnd> RunAsync(
        WorkerRuntime runtime, Func<MessageBuffer, Task> write, Func<AttemptResponseWriter, TaskExecutor, Task<StreamEnd>> read)
    {
        await runtime.Ready.ConfigureAwait(false);
        await write(MessageBuffer.Of(new RawExecuteResponse { Hello = CreateHello(runtime) })).ConfigureAwait(false);
        HeartbeatThread? heartbeat = null;
        var responses = new AttemptResponseWriter(write, () => heartbeat!.Signal());
        var executor = new TaskExecutor(
            runtime.Handlers, runtime.Services, runtime.Layout, responses, runtime.Recorder, runtime.Time)
        {
            WorkerName = $"{runtime.Launch.Name}#{runtime.Launch.Incarnation}",
            // Not given by a coordinator of an earlier version, whose limit this was.
            LargestOutput = runtime.Launch.MaxPayloadBytes > 0 ? runtime.Launch.MaxPayloadBytes : ProtocolConstants.SharedMessageBytes,
        };
        await using var disposing = executor.ConfigureAwait(false);
        using var meter = new ProcessMetrics(runtime.Time);
        using var beating = heartbeat = new HeartbeatThread(
            Heartbeat,
            runtime.Time,
            responses.Write,
            () =>
            {
                responses.Beat(meter.Read(executor.Running, executor.Waiting));
                responses.Write();
            });
        heartbeat.Start();

        await using var draining = runtime.DrainRequested.UnsafeRegister(static state => ((TaskExecutor)state!).Drain(), executor)
            .ConfigureAwait(false);
        var end = await read(responses, executor).ConfigureAwait(false);
        if (end == StreamEnd.Clean)
            await responses.CloseAsync().ConfigureAwait(false);
        return end;
    }

    private static Hello CreateHello(WorkerRuntime runtime)
    {
        var hello = new Hello
        {
            Name = runtime.Launch.Name,
            Incarnation = runtime.Launch.Incarnation,
            Pid = Environment.ProcessId,
            Runtime = $"dotnet {Environment.Version} {RuntimeInformation.RuntimeIdentifier}" +
                (RuntimeFeature.IsDynamicCodeSupported ? "" : " native"),
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
