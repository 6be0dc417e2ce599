using System.Diagnostics;
using Orchestrator.Cli.Common;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide;

/// <summary>A coordinator in this process with Python workers, from the repository that this command was built in.</summary>
internal sealed class PythonPool : IAsyncDisposable
{
    /// <summary>Debian's own: its grpcio belongs to this interpreter, even if another one is first on PATH.</summary>
    private const string Interpreter = "/usr/bin/python3";

    private readonly string _directory;
    private CoordinatorApplication? _coordinator;
    private OrchestratorClient? _client;

    private PythonPool(string directory) => _directory = directory;

    public OrchestratorClient Client => _client!;

    /// <summary>Starts the pool.</summary>
    /// <exception cref="GuideSkippedException">A requirement is missing on this machine.</exception>
    public static async Task<PythonPool> StartAsync(int workers, CancellationToken token)
    {
        var root = FindRepository() ?? throw new GuideSkippedException(
            "the Python worker (tests/Interop/python) is not shipped with the command; run it from where it was built");
        if (!File.Exists(Interpreter) || await RunAsync(Interpreter, ["-c", "import grpc, google.protobuf"], token) != 0)
            throw new GuideSkippedException(
                $"{Interpreter} with grpcio is not installed (apt-get install python3 python3-grpcio python3-protobuf)");
        var pool = new PythonPool(Directory.CreateTempSubdirectory("orchestrator-guide-").FullName);
        try
        {
            await pool.StartAsync(root, workers, token);
            return pool;
        }
        catch
        {
            await pool.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
            await _client.DisposeAsync();
        // The tasks have been cancelled with their client; there is nothing to drain.
        if (_coordinator is not null)
            await _coordinator.DisposeAsync();

        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartAsync(string root, int workers, CancellationToken token)
    {
        var stubs = Directory.CreateDirectory(Path.Combine(_directory, "stubs")).FullName;
        var protos = Path.Combine(root, "protos");
        if (Find("protoc") is not { } protoc || Find("grpc_python_plugin") is not { } plugin || await RunAsync(protoc, [
                "-I", protos, $"--python_out={stubs}", $"--grpc_out={stubs}", $"--plugin=protoc-gen-grpc={plugin}",
                .. Directory.EnumerateFiles(protos, "*.proto", SearchOption.AllDirectories),
            ], token) != 0)
            throw new GuideSkippedException(
                "protoc with its Python plugin is not installed (apt-get install protobuf-compiler protobuf-compiler-grpc " +
                "libprotobuf-dev)");

        string[] python = ["/usr/bin/env", "PYTHONDONTWRITEBYTECODE=1", $"PYTHONPATH={stubs}", Interpreter, Path.Combine(
            root, "tests", "Interop", "python", "worker.py")];
        var data = Path.Combine(_directory, "data");
        _coordinator = CoordinatorApplication.Create(
            new CoordinatorOptions
            {
                ListenOnTcp = false,
                OwnsProcess = false,
                DataDirectory = data,
                DrainTimeout = TimeSpan.Zero,
                Supervision = new SupervisorOptions
                {
                    Workers = 1,
                    HotSpares = 0,
                    // A pinned worker has one core, regardless of its number of threads.
                    PinWorkers = false,
                    Command = StockWorkerCommand.Create(WorkerRuntime.Auto, new StockHandlerOptions()).Command,
                    MoreGroups = [new WorkerGroupOptions("python", workers, python)],
                },
            },
            new TaskHandlerRegistry());
        await _coordinator.StartAsync(token);
        _client = await OrchestratorClient.ConnectAsync(
            new OrchestratorClientOptions { Endpoint = _coordinator.LocalAddress, DataDirectory = data, DetachOnDisconnect = false },
            token);
        while ((await _client.Contract.GetStatusAsync(token)).Workers.Count(
            worker => worker is { Group: "python", State: V1.WorkerState.Ready }) < workers)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
    }

    private static string? FindRepository()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "tests", "Interop", "python", "worker.py")))
                return directory.FullName;
        }

        return null;
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    private static async Task<int> RunAsync(string program, IEnumerable<string> arguments, CancellationToken token)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(token), process.StandardError.ReadToEndAsync(token));
        await process.WaitForExitAsync(token);
        await output;
        return process.ExitCode;
    }
}
