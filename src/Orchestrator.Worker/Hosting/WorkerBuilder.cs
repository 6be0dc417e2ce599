using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Client.Objects;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Transport.Sockets;
using Orchestrator.Worker.Service;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Hosting;

/// <summary>Configures a worker process; see <see cref="OrchestratorWorker"/>.</summary>
public sealed class WorkerBuilder : ITaskMap
{
    private const int ExitUsage = 2;
    private const int ExitFailed = 1;

    // A worker sees one processor, for which the pool keeps one thread ready; each further thread takes it half a second. With a few ready,
    // asynchronous handlers that block by mistake do not hold up the reader of cancels.
    private const int ReadyPoolThreads = 8;

    // Its operations share one stream; calls without an operation are few.
    private const int MaxLocalConnections = 16;

    private readonly List<Func<IServiceProvider, CancellationToken, Task>> _initializers = [];

    private volatile WorkerInstance? _instance;
    private volatile bool _isDrained;

    internal WorkerBuilder(JsonSerializerOptions? json, IServiceCollection? services = null)
    {
        Tasks = new TaskHandlerRegistry(json);
        Services = services ?? new ServiceCollection();
    }

    /// <summary>The services for handler classes and <see cref="TaskContext.Services"/>.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The handlers of this worker.</summary>
    public TaskHandlerRegistry Tasks { get; }

    internal IReadOnlyList<Func<IServiceProvider, CancellationToken, Task>> Initializers => _initializers;

    /// <summary>Serves the worker's socket; null if nothing does.</summary>
    internal Func<WorkerRuntime, ISocketServer>? CreateSocketServer { get; set; }

    /// <summary>The coordinator's order; null until it has come.</summary>
    internal WorkerLaunch? Launch { get; set; }

    /// <summary>How handlers reach their coordinator.</summary>
    internal CoordinatorEndpoint Coordinator => new(Started.CoordinatorAddress, Started.CoordinatorToken);

    private WorkerLaunch Started => Launch ?? throw new InvalidOperationException("The coordinator is known once the worker has started.");

    /// <summary>
    /// Runs once per worker process before it accepts its first task: loading models, warming caches. Several run in order. An exception
    /// ends the process with exit code 1 and is written to its standard error.
    /// </summary>
    public WorkerBuilder UseInitializer(Func<IServiceProvider, CancellationToken, Task> initializer)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        _initializers.Add(initializer);
        return this;
    }

    /// <summary>
    /// Serves the coordinator that started this process until it drains the worker or disconnects. Returns the exit code: 0 after a drain,
    /// 1 after a failure, 2 if no coordinator has started this process.
    /// </summary>
    public Task<int> RunAsync() => RunAsync(null, Task.CompletedTask);

    /// <summary>As <see cref="RunAsync()"/>, in a host.</summary>
    /// <param name="host">The services that handlers use; null for their own.</param>
    /// <param name="ready">When the first task may come.</param>
    internal async Task<int> RunAsync(IServiceProvider? host, Task ready)
    {
        if (host is not null)
            _initializers.Insert(0, (_, cancellationToken) => ready.WaitAsync(cancellationToken));
        // A terminal's input never ends by itself, and a person would wait forever.
        var order = Console.IsInputRedirected ? new LaunchContractReader(ControlInput.Take()) : null;
        if (order?.Read() is not { } launch)
        {
            await Console.Error.WriteLineAsync(
                "This program is an Orchestrator worker: a coordinator starts it and writes its orders to standard input. Try " +
                "'orchestrator serve'.").ConfigureAwait(false);
            return ExitUsage;
        }

        if (launch.CoordinatorPid != 0 && !ParentProcess.Is(launch.CoordinatorPid))
        {
            await Console.Error.WriteLineAsync("worker: the coordinator died before its worker started").ConfigureAwait(false);
            return ExitFailed;
        }

        ParentProcess.Harden();
        order.WatchEnd(() => ParentProcess.ExitNow(0));
        return await RunAsync(launch, host).ConfigureAwait(false);
    }

    /// <summary>The sessions with which handlers use shared objects.</summary>
    internal SessionPool OpenSessions() => new(
        Started.CoordinatorAddress, Started.CoordinatorToken, $"{Started.Name}#{Started.Incarnation}",
        Started.CoordinatorLocalSocket.Length > 0 ? LocalConnections.To(Started.CoordinatorLocalSocket, MaxLocalConnections) : null);

    /// <summary>Finish running attempts, return the rest, end.</summary>
    internal void Drain()
    {
        _isDrained = true;
        _instance?.Runtime.Drain();
    }

    private async Task<int> RunAsync(WorkerLaunch launch, IServiceProvider? host)
    {
        WorkerConsole.Install();
        // Ctrl-C reaches the whole process group; the coordinator decides when its workers end.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, ReadyPoolThreads), completions);
        try
        {
            // The first message on the direct stream, before any slow step: the coordinator then need not try the socket.
            var direct = SocketMessageStream.FromInherited(launch.DirectStream, launch.CoordinatorPid);
            if (direct is not null)
                await direct.WriteAsync(new MessageBuffer()).ConfigureAwait(false);
            if (direct is null && CreateSocketServer is null)
            {
                await Console.Error.WriteLineAsync(
                    "worker: there is no direct stream to the coordinator, and this worker serves no socket; let it do so by " +
                    "UseGrpcServer of the package Orchestrator.Worker.AspNetCore").ConfigureAwait(false);
                return ExitFailed;
            }

            var instance = WorkerInstance.Create(this, launch, direct, TimeProvider.System, host);
            await using var disposing = instance.ConfigureAwait(false);
            _instance = instance;
            if (_isDrained)
                instance.Runtime.Drain();
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
            {
                context.Cancel = true;
                instance.Runtime.Drain();
            });
            var end = await instance.RunAsync().ConfigureAwait(false);
            if (end == StreamEnd.Broken)
            {
                // Handlers may still run, but their results have no receiver any more.
                ParentProcess.ExitNow(ExitFailed);
            }

            return 0;
        }
        catch (Exception e)
        {
            // The coordinator shows the last lines of standard error when it reports a worker that does not start.
            await Console.Error.WriteLineAsync($"worker: {ExceptionText.Describe(e)}").ConfigureAwait(false);
            return ExitFailed;
        }
    }
}
