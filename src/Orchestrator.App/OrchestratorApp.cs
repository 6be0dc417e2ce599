using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Client;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.App;

/// <summary>
/// A program that is both coordinator and workers. It starts itself again as a worker, once per core;
/// <see cref="RunAsync(Func{IOrchestratorPool, Task})"/> takes the right role. Code before that call runs in every process.
/// </summary>
/// <example>
/// <code>
/// var app = OrchestratorApp.Create(args);
/// var square = app.MapTask("square", (long n) => n * n);
/// return await app.RunAsync(async pool =>
/// {
///     await foreach (var result in pool.MapAsync(square, [1, 2, 3]))
///         Console.WriteLine(result);
/// });
/// </code>
/// </example>
public sealed class OrchestratorApp : ITaskMap
{
    /// <summary>
    /// The source of the coordinator's spans of tasks, attempts and waits, for OpenTelemetry's <c>AddSource</c>; see also
    /// <see cref="OrchestratorClient.ActivitySourceName"/> and <see cref="TaskContext.ActivitySourceName"/>.
    /// </summary>
    public const string ActivitySourceName = CoordinatorApplication.ActivitySourceName;

    /// <summary>The meter of the coordinator's instruments, for OpenTelemetry's <c>AddMeter</c>; docs/metrics.md lists them.</summary>
    public const string MeterName = CoordinatorApplication.MeterName;

    /// <summary>The first argument of a worker process.</summary>
    public const string WorkerArgument = "--orchestrator-worker";

    private const int ExitFailed = 1;
    private const int SignalledExit = 128;

    private readonly WorkerBuilder? _worker;
    private readonly string[] _args;

    private OrchestratorApp(string[] args, WorkerBuilder? worker, OrchestratorAppOptions options)
    {
        _args = args;
        _worker = worker;
        Options = options;
        Tasks = worker?.Tasks ?? new TaskHandlerRegistry();
        Services = worker?.Services ?? new ServiceCollection();
    }

    /// <summary>Whether this process is one of the workers.</summary>
    public bool IsWorker => _worker is not null;

    /// <summary>The program's own arguments; workers are given the same.</summary>
    public IReadOnlyList<string> Args => _args;

    /// <summary>The options of the pool.</summary>
    public OrchestratorAppOptions Options { get; }

    /// <summary>The handlers, in this process and in the workers.</summary>
    public TaskHandlerRegistry Tasks { get; }

    /// <summary>The services that handler classes are resolved from, in the workers and, for in-process handlers, here.</summary>
    public IServiceCollection Services { get; }

    /// <summary>The command that starts this program as a worker with the same arguments.</summary>
    internal IReadOnlyList<string> WorkerCommand => [.. Self(), WorkerArgument, .. _args];

    /// <summary>Call this first, on the main thread before the first await: a worker binds its lifetime to its parent's here.</summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="options">Null uses one worker per core and opens no port.</param>
    public static OrchestratorApp Create(string[] args, OrchestratorAppOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        options ??= new OrchestratorAppOptions();
        return args is [WorkerArgument, ..]
            ? new OrchestratorApp(args[1..], OrchestratorWorker.CreateBuilder(args[1..]), options)
            : new OrchestratorApp(args, null, options);
    }

    /// <summary>Registers code that runs once per worker process, before its first task.</summary>
    public OrchestratorApp UseInitializer(Func<IServiceProvider, CancellationToken, Task> initializer)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        _worker?.UseInitializer(initializer);
        return this;
    }

    /// <summary>Serves as a worker. Only if <see cref="IsWorker"/>; for programs with their own host.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> RunWorkerAsync() => _worker is null
        ? throw new InvalidOperationException(
            $"This process is no worker: it was not started with {WorkerArgument}. Ask {nameof(IsWorker)} first.")
        : _worker.RunAsync();

    /// <summary>In a worker process, serves until the pool ends. Otherwise starts the pool, runs the body and ends the pool.</summary>
    /// <returns>The exit code: 0, or 128 plus the number of the signal that ended the program.</returns>
    public Task<int> RunAsync(Func<IOrchestratorPool, Task> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        return RunAsync((pool, _) => body(pool));
    }

    /// <summary>
    /// As <see cref="RunAsync(Func{IOrchestratorPool, Task})"/>; the token fires at Ctrl-C and SIGTERM. A second one ends the program at
    /// once.
    /// </summary>
    public async Task<int> RunAsync(Func<IOrchestratorPool, CancellationToken, Task> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (_worker is not null)
            return await _worker.RunAsync().ConfigureAwait(false);
        using var stopping = new CancellationTokenSource();
        var signalled = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, 2));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, 15));
        EmbeddedPool pool;
        try
        {
            pool = await EmbeddedPool.StartAsync(this, Options, null, stopping.Token).ConfigureAwait(false);
        }
        catch (Exception) when (signalled.Task.IsCompleted)
        {
            return SignalledExit + await signalled.Task.ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or UnauthorizedAccessException
            or PlatformNotSupportedException)
        {
            await Console.Error.WriteLineAsync($"The pool does not start: {exception.Message}").ConfigureAwait(false);
            return ExitFailed;
        }

        await using (pool.ConfigureAwait(false))
        {
            var running = Task.Run(() => body(pool, stopping.Token));
            // A body that ignores its token is abandoned: its tasks end with the pool.
            if (await Task.WhenAny(running, signalled.Task).ConfigureAwait(false) == running && !signalled.Task.IsCompleted)
            {
                await running.ConfigureAwait(false);
                return 0;
            }
        }

        return SignalledExit + await signalled.Task.ConfigureAwait(false);

        void OnSignal(PosixSignalContext context, int signal)
        {
            // The first signal shuts down in order; the default action of the second ends the process, and the kernel then ends its
            // workers.
            context.Cancel = signalled.TrySetResult(signal);
            stopping.Cancel();
        }
    }

    private static string[] Self()
    {
        var program = Environment.ProcessPath
            ?? throw new PlatformNotSupportedException("This system does not report a program's own path.");
        // Under `dotnet program.dll` the process is the host, which needs the program's path as an argument.
        return Path.GetFileNameWithoutExtension(program).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? [program, Path.GetFullPath(Environment.GetCommandLineArgs()[0])]
            : [program];
    }
}
