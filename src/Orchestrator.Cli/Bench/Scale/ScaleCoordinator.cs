using Orchestrator.Cli.Common;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.TaskModel;
using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>
/// A coordinator of the bench's own, in a process of its own, so that its processor time can be told from the bench's. It allows one client
/// more than usual: all that fills it comes from one.
/// </summary>
internal sealed class ScaleCoordinator : IAsyncDisposable
{
    /// <summary>The hidden verb of its process.</summary>
    public const string Verb = "bench-coordinator";

    private const int Most = 4_000_000;

    private readonly BenchProcess _process;
    private readonly DirectoryInfo _directory;

    private ScaleCoordinator(BenchProcess process, DirectoryInfo directory)
    {
        _process = process;
        _directory = directory;
    }

    /// <summary>The processor time that it has taken; the kernel counts it in hundredths of a second.</summary>
    public TimeSpan ProcessorTime => _process.ProcessorTime;

    public static async Task<ScaleCoordinator> StartAsync(CancellationToken token)
    {
        var directory = Directory.CreateTempSubdirectory("orchestrator-bench-");
        try
        {
            return new ScaleCoordinator(await BenchProcess.StartAsync(Verb, [directory.FullName], token), directory);
        }
        catch
        {
            directory.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>A connection of its own.</summary>
    public Task<OrchestratorClient> ConnectAsync(CancellationToken token) => OrchestratorClient.ConnectAsync(
        new OrchestratorClientOptions { Endpoint = _process.Ready, DataDirectory = _directory.FullName, DetachOnDisconnect = false },
        token);

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    /// <summary>Its process: serves until its standard input ends.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
        using var ignoring = BenchProcess.IgnoreInterrupts();
        var usual = new CoordinatorOptions();
        var registry = new TaskHandlerRegistry();
        StockHandlers.Register(registry, new StockHandlerOptions());
        await using var application = CoordinatorApplication.Create(
            new CoordinatorOptions
            {
                ListenOnTcp = false,
                OwnsProcess = false,
                DataDirectory = args[0],
                DrainTimeout = TimeSpan.Zero,
                MaxStreamsPerClient = 10_000,
                Engine = new TaskEngineOptions { MaxTasks = Most, MaxTasksPerClient = Most },
                Objects = usual.Objects with { MaxObjects = Most, MaxObjectsPerClient = Most },
                Supervision = new SupervisorOptions
                {
                    Workers = 1,
                    HotSpares = 0,
                    // One task of this kind holds all others in the queue.
                    BlockingThreads = 1,
                    Command = StockWorkerCommand.Create(WorkerRuntime.Auto, new StockHandlerOptions()).Command,
                },
            },
            registry);
        await application.StartAsync(CancellationToken.None);
        await Console.Out.WriteLineAsync(BenchProcess.ReadyPrefix + application.LocalAddress);
        await Console.Out.FlushAsync();
        // The parent holds the other end open for as long as it lives.
        await Task.Run(() => Console.In.ReadToEnd());
        await application.StopAsync();
        return ExitCode.Ok;
    }
}
