using System.Diagnostics;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;
using Orchestrator.TestKit;
using Orchestrator.Worker.AspNetCore;
using Orchestrator.Worker.Hosting;
using Orchestrator.Worker.Tests;
using Orchestrator.Worker.Tests.Service;
using Orchestrator.Worker.V1;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>
/// A real worker process with the stock handlers. It is this test assembly, started again: the module initializer below becomes the worker
/// where an environment variable asks for it, so that no other program has to be built and found.
/// </summary>
internal sealed class WorkerProcess : IDisposable
{
    private const string Variable = "ORCHESTRATOR_TEST_WORKER";

    private readonly string _directory = Directory.CreateTempSubdirectory("worker").FullName;
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<string> _errors = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WorkerProcess(Action<WorkerLaunch>? configure, string? input)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Orchestrator.Integration.Tests"))
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment[Variable] = "1";
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "1";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        Launch = new WorkerLaunch
        {
            Name = "worker-1",
            Incarnation = 1,
            Socket = Path.Combine(_directory, "w.sock"),
            Token = "0123456789abcdef",
            CoordinatorPid = Environment.ProcessId,
            Core = -1,
            BlockingThreads = 4,
            MaxConcurrentIo = 100,
            RecorderPath = Path.Combine(_directory, "recorder"),
        };
        File.WriteAllBytes(Launch.RecorderPath, new byte[64]);
        configure?.Invoke(Launch);
        Process = new Process { StartInfo = start, EnableRaisingEvents = true };
        Process.Exited += (_, _) => _exited.TrySetResult();
        Process.Start();
        _ = Process.StandardError.ReadToEndAsync().ContinueWith(text => _errors.TrySetResult(text.Result), TaskScheduler.Default);
        Process.StandardInput.WriteLine(input ?? JsonFormatter.Default.Format(Launch));
        Process.StandardInput.Flush();
    }

    public Process Process { get; }

    public WorkerLaunch Launch { get; }

    /// <summary>Its standard error output, once it has ended.</summary>
    public Task<string> Errors => _errors.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);

    public static WorkerProcess Start(Action<WorkerLaunch>? configure = null, string? input = null) => new(configure, input);

    /// <summary>Connects as soon as it listens.</summary>
    public async Task<WorkerClient> AttachAsync()
    {
        using var watcher = new FileSystemWatcher(_directory);
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Renamed += (_, renamed) =>
        {
            if (renamed.FullPath == Launch.Socket)
                listening.TrySetResult();
        };
        watcher.EnableRaisingEvents = true;
        if (!File.Exists(Launch.Socket))
            await Task.WhenAny(listening.Task, _exited.Task).WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        var client = new WorkerClient(Launch.Socket, Launch.Token);
        await client.AttachAsync();
        return client;
    }

    public async Task<int> ExitCodeAsync()
    {
        await _exited.Task.WaitAsync(ExecutorFixture.Limit, TestContext.Current.CancellationToken);
        return Process.ExitCode;
    }

    public byte Slot(int slot) => File.ReadAllBytes(Launch.RecorderPath)[slot];

    public void Dispose()
    {
        if (!Process.HasExited)
            Process.Kill();
        Process.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

#pragma warning disable CA2255 // This is the entry point of a second program in one assembly, not of a library.
    [ModuleInitializer]
    internal static void RunAsWorker()
#pragma warning restore CA2255
    {
        if (Environment.GetEnvironmentVariable(TestWorker.Variable) is not null)
            Environment.Exit(TestWorker.Run());
        if (Environment.GetEnvironmentVariable(Variable) is null)
            return;
        // All code on other threads from here on is in other assemblies, since this one is still being initialized.
        var worker = OrchestratorWorker.CreateBuilder([]).UseGrpcServer();
        StockHandlers.Register(worker.Tasks, new StockHandlerOptions { AllowChaos = true, AllowedDirectories = { Path.GetTempPath() } });
        Environment.Exit(worker.RunAsync().GetAwaiter().GetResult());
    }
}
