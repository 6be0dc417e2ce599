using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Handlers;
using Orchestrator.Handlers.Common;
using Orchestrator.Protocol;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator serve</c>: the coordinator and its workers, until Ctrl-C or SIGTERM.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    // Never disposed: another signal during cleanup must not end the process with the signal's exit code.
    private static readonly List<PosixSignalRegistration> UntilTheEnd = [];

    private static readonly Option<int> GrpcPort = new("--grpc-port")
    {
        Description = "The port for gRPC; 0 picks a free one.",
        HelpName = "PORT",
        DefaultValueFactory = _ => 7600,
    };

    private static readonly Option<int> HttpPort = new("--http-port")
    {
        Description = "The port for HTTP; 0 picks a free one.",
        HelpName = "PORT",
        DefaultValueFactory = _ => 7601,
    };

    private static readonly Option<int> Workers = new("--workers")
    {
        Description = "The number of worker processes, besides those of named groups; one per core by default.",
        HelpName = "N",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<string[]> WorkerCommand = new("--worker-command")
    {
        Description =
            "The command that starts a worker, in any language; this command's own workers by default. NAME=COUNT:COMMAND adds another " +
            "group of workers, and may be given more than once.",
        HelpName = "COMMAND",
    };

    private static readonly Option<bool> AllowChaos = new("--allow-chaos")
    {
        Description = "Offer handlers that crash, hang and exhaust memory, to test such failures.",
    };

    private static readonly Option<bool> WorkerGrpc = new("--worker-grpc")
    {
        Description = "Let the stock workers serve gRPC on sockets of their own, to look at them with gRPC tools.",
    };

    private static readonly Option<string> Runtime = new Option<string>("--worker-runtime")
    {
        Description = "What runs the stock workers: native code, the just-in-time compiler, or native code where the package has it.",
        HelpName = "auto|native|jit",
        DefaultValueFactory = _ => "auto",
    }.AcceptOnlyFromAmong("auto", "native", "jit");

    private static readonly Option<string[]> AllowDirectory = new("--allow-directory")
    {
        Description = "A directory that read_file and sql_query may read; may be given more than once.",
        HelpName = "DIR",
    };

    private static readonly Option<string[]> AllowUrl = new("--allow-url")
    {
        Description = "A prefix of addresses that http_get may fetch; may be given more than once.",
        HelpName = "PREFIX",
    };

    private static readonly Option<string[]> InheritVariable = new("--inherit-env")
    {
        Description = "An environment variable that workers inherit beyond PATH, HOME and the like; may be given more than once.",
        HelpName = "NAME",
    };

    private static readonly Option<int> HotSpares = new("--hot-spares")
    {
        Description = "Workers started ahead in each group, to replace a lost one at once: 0 or 1.",
        HelpName = "N",
        DefaultValueFactory = _ => new SupervisorOptions().HotSpares,
    };

    private static readonly Option<bool> NoPinning =
        new("--no-pinning") { Description = "Let workers run on any core, instead of one each." };

    private static readonly Option<int> MaxIo = new("--max-io")
    {
        Description = "IO tasks that a worker runs at once.",
        HelpName = "N",
        DefaultValueFactory = _ => new SupervisorOptions().MaxConcurrentIo,
    };

    private static readonly Option<int> BlockingThreads = new("--blocking-threads")
    {
        Description = "Threads of a worker for blocking tasks.",
        HelpName = "N",
        DefaultValueFactory = _ => new SupervisorOptions().BlockingThreads,
    };

    private static readonly Option<int> Credits = new("--credits")
    {
        Description = "Tasks that one stream may hold unfinished or unread.",
        HelpName = "N",
        DefaultValueFactory = _ => new CoordinatorOptions().CreditsPerStream,
    };

    private static readonly Option<OptionSize?> MaxPayload = ByteSizeOption.Option(
        "--max-payload",
        "The largest payload: an input or output, an item, a message, a value. At most 512 MiB.",
        () => new CoordinatorOptions().MaxPayload);

    private static readonly Option<OptionSize?> MemoryBudget = ByteSizeOption.Option(
        "--memory-budget",
        "The memory that the coordinator may take; beyond it new work is refused. By default half of the machine's or container's.",
        () => new CoordinatorOptions().MemoryBudget);

    private static readonly Option<long?> RecycleAfter = new("--recycle-after")
    {
        Description = "Replace a worker after this many tasks, ± 10 %, without losing one (never).",
        HelpName = "N",
    };

    private static readonly Option<OptionSize?> MaxWorkerMemory =
        ByteSizeOption.Option(
            "--max-worker-memory", "Replace a worker that takes more resident memory than this, without losing a task (never).");

    private static readonly Option<OptionTime?> DrainTimeout =
        DurationOption.Option("--drain-timeout", "How long a stop waits for unfinished tasks before it cancels them.",
        new CoordinatorOptions().DrainTimeout);

    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Log each change of a worker's state." };

    private static readonly Option<string> Format = new Option<string>("--log-format")
    {
        Description = "How to log: lines for people, or one JSON object per line.",
        HelpName = "text|json",
        DefaultValueFactory = _ => "text",
    }.AcceptOnlyFromAmong("text", "json");

    /// <summary>Its options.</summary>
    public static IEnumerable<Option> Options =>
    [
        OptionSources.Config, GrpcPort, HttpPort, Workers, WorkerCommand, WorkerGrpc, Runtime, AllowChaos, AllowDirectory,
        AllowUrl, InheritVariable, HotSpares, NoPinning, MaxIo, BlockingThreads, Credits, MaxPayload, MemoryBudget, RecycleAfter,
        MaxWorkerMemory, DrainTimeout, Verbose, Format, .. ServeSecurity.Options, .. ServeTelemetry.Options,
    ];

    public static Command Create() =>
        new Command(Name, "Starts the coordinator and its worker processes; Ctrl-C or SIGTERM stops them.")
            .With(Options)
            .Examples(
                "orchestrator serve",
                "orchestrator serve --grpc-port 0 --http-port 0 --data-dir /tmp/mine --workers 4",
                "orchestrator serve --worker-command 'python3 worker.py'",
                "orchestrator serve --memory-budget 1GB --max-worker-memory 500MB --recycle-after 100000",
                "orchestrator serve --workers 2 --worker-command 'python=2:python3 worker.py'",
                "orchestrator serve --listen 0.0.0.0 --tls-cert server.pem --tls-key server.key --client-ca clients.pem",
                "orchestrator serve --allow-directory /srv/data --allow-url https://example.com/",
                "orchestrator serve --otlp http://localhost:4317 --trace-ratio 0.01",
                "orchestrator serve --config serve.conf")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        // A SIGHUP during startup is deferred until the coordinator is ready; its default action would end the process.
        var reload = false;
        var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => signal.Cancel = reload = true);
        var options = ReadOptions(context, out var note);
        // One line with every fault, instead of a stack trace with the first.
        if (options.Validate() is { Count: > 0 } faults)
            throw new UsageException(string.Join("; ", faults) + ".");
        // Chaos handlers run only in workers: in the coordinator's own process they would end the coordinator.
        var registry = new TaskHandlerRegistry();
        StockHandlers.Register(registry, Handlers(context, allowChaos: false));
        // Disposed after the application: the last spans are made while it stops.
        using var exporter = ServeTelemetry.CreateExporter(context);
        await using var application = CoordinatorApplication.Create(options, registry, exporter?.Services);
        application.OptionsSource = () => ReadOptions(context.ParseAgain(), out _);
        if (note is not null && options.LogFormat == LogFormat.Text)
            await Console.Error.WriteLineAsync($"orchestrator: {note}");

        // From here on a signal must not simply end the process, which would leave the endpoint file behind. During
        // startup it cancels the start; afterwards the application handles it.
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(token);
        UntilTheEnd.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, EndStart));
        UntilTheEnd.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, EndStart));
        try
        {
            await application.StartAsync(starting.Token);
        }
        catch (Exception) when (starting.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            throw new IOException(
                $"{exception.Message.TrimEnd('.')}; choose other ports with --grpc-port and --http-port, 0 picks a free one.", exception);
        }

        var running = application.RunUntilStoppedAsync();
        hangUp.Dispose();
        if (starting.IsCancellationRequested)
            application.RequestStop();
        else
            await WriteBannerAsync(
                options.LogFormat == LogFormat.Json
                    ? ServeBanner.WriteJson(application.Addresses, note)
                    : VisibleText.Lines(ServeBanner.Write(
                        application.Addresses, application.Handlers, options.DataDirectory,
                        // A code in a log file would let its readers in.
                        Console.IsOutputRedirected ? "" : application.CreateFirstLogin())));
        if (reload)
            application.RequestReload();
        return await running;

        void EndStart(PosixSignalContext signal)
        {
            signal.Cancel = true;
            try
            {
                starting.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The coordinator is already stopping.
            }
        }
    }

    /// <summary>Reports readiness; an unwritable standard output does not stop the coordinator.</summary>
    private static async Task WriteBannerAsync(string banner)
    {
        try
        {
            await Console.Out.WriteAsync(banner);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            try
            {
                await Console.Error.WriteLineAsync(
                    $"orchestrator: it is ready, but standard output cannot be written: {exception.Message}");
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
                // Standard error is closed as well: endpoint.json and systemd also report readiness.
            }
        }
    }

    /// <param name="context">The flags, the environment and the file of options.</param>
    /// <param name="note">What an operator should know of the choice of the workers' program; null if there is nothing.</param>
    private static CoordinatorOptions ReadOptions(CommandContext context, out string? note)
    {
        var options = new CoordinatorOptions
        {
            GrpcPort = context.Get(GrpcPort),
            HttpPort = context.Get(HttpPort),
            DataDirectory = DataDirectoryOf(context),
            AllowChaos = context.Get(AllowChaos),
            Verbose = context.Get(Verbose),
            LogFormat = context.Get(Format) == "json" ? LogFormat.Json : LogFormat.Text,
        };
        return ServeTelemetry.Read(context, ServeSecurity.Read(context, options)) with
        {
            Supervision = Supervision(context, options.Supervision, out note),
            CreditsPerStream = context.Get(Credits),
            MaxPayload = context.Get(MaxPayload) ?? options.MaxPayload,
            MemoryBudget = context.Get(MemoryBudget) ?? options.MemoryBudget,
            DrainTimeout = context.Get(DrainTimeout) ?? options.DrainTimeout,
        };
    }

    private static string DataDirectoryOf(CommandContext context) =>
        context.Get(CommonOptions.DataDirectory) is { Length: > 0 } named
            ? Path.GetFullPath(named) : ProtocolConstants.DefaultDataDirectory();

    private static SupervisorOptions Supervision(CommandContext context, SupervisorOptions usual, out string? note)
    {
        var (command, groups) = WorkerCommands.Read(context.Get(WorkerCommand) ?? []);
        if (command is not null && context.Get(WorkerGrpc))
        {
            throw new UsageException(
                "--worker-grpc is for the stock workers; a program given by --worker-command calls UseGrpcServer of the package " +
                "Orchestrator.Worker.AspNetCore.");
        }

        note = null;
        if (command is null)
        {
            (command, note) = StockWorkerCommand.Create(
                Enum.Parse<WorkerRuntime>(context.Get(Runtime)!, ignoreCase: true),
                Handlers(context, context.Get(AllowChaos)),
                context.Get(WorkerGrpc));
        }

        return usual with
        {
            Workers = context.Get(Workers),
            Command = command,
            MoreGroups = groups,
            InheritedVariables = context.Get(InheritVariable) ?? [],
            HotSpares = context.Get(HotSpares),
            RecycleAfterTasks = context.Get(RecycleAfter),
            MaxWorkerMemory = context.Get(MaxWorkerMemory),
            PinWorkers = !context.Get(NoPinning),
            MaxConcurrentIo = context.Get(MaxIo),
            BlockingThreads = context.Get(BlockingThreads),
        };
    }

    private static StockHandlerOptions Handlers(CommandContext context, bool allowChaos)
    {
        var options = new StockHandlerOptions { AllowChaos = allowChaos };
        // A task that can read the tokens has the rights of the owner.
        options.DeniedDirectories.Add(DataDirectoryOf(context));
        foreach (var directory in context.Get(AllowDirectory) ?? [])
            options.AllowedDirectories.Add(Path.GetFullPath(directory));
        foreach (var prefix in context.Get(AllowUrl) ?? [])
            options.AllowedUrlPrefixes.Add(prefix);
        return options;
    }
}
