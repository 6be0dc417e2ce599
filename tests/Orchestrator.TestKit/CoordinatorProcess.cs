using System.Diagnostics;
using System.Net.Security;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Orchestrator.Protocol;
using Orchestrator.Transport.LocalCalls;
using Orchestrator.V1;

namespace Orchestrator.TestKit;

/// <summary>
/// A real coordinator: the built command <c>orchestrator serve</c> on free ports in its own directory. It and its child processes die with
/// the test, and a process that is left behind fails the test.
/// </summary>
public sealed class CoordinatorProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    private const string TransportVariable = "ORCHESTRATOR_TEST_TRANSPORT";

    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _mark;
    private readonly Process _process;
    private readonly List<string> _expectedErrors = [];
    private readonly IReadOnlyList<string> _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private bool _endedByTest;
    private bool _directoryPassedOn;

    private readonly bool _keepsDirectory;

    private CoordinatorProcess(
        string directory,
        bool keepsDirectory,
        int grpcPort,
        int httpPort,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> environment,
        IReadOnlyList<string>? prefix = null)
    {
        DataDirectory = directory;
        _keepsDirectory = keepsDirectory;
        _arguments = arguments;
        _environment = environment;
        _mark = $"LC_ORCHESTRATOR_TEST={Guid.NewGuid():N}";
        // A write beyond a limit that a test sets must fail, not end the process.
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        string[] command = [.. prefix ?? [], CommandPath];
        foreach (var argument in (IEnumerable<string>)
        [
            "-c", "trap '' XFSZ; exec \"$0\" \"$@\"", .. command, "serve", "--grpc-port", $"{grpcPort}", "--http-port", $"{httpPort}",
            "--data-dir", directory, .. arguments,
        ])
            start.ArgumentList.Add(argument);
        // Workers inherit locale variables, so this marks every process of the family.
        var name = _mark.Split('=')[0];
        start.Environment[name] = _mark[(name.Length + 1)..];
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => OnOutput(line.Data);
        _process.ErrorDataReceived += (_, line) => OnOutput(line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(
            new InvalidOperationException($"the coordinator ended with {_process.ExitCode}: {Output}"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Options for a spare worker, which <c>serve</c> has by default.</summary>
    public static IReadOnlyList<string> HotSpare { get; } = ["--hot-spares", "1"];

    /// <summary>The command as it was built, which the runtime compiles just in time.</summary>
    public static string BuiltCommandPath { get; } = Path.Combine(AppContext.BaseDirectory, "orchestrator");

    /// <summary>
    /// The command that is tested: <see cref="BuiltCommandPath"/>, or another copy which <c>ORCHESTRATOR_TEST_COMMAND</c> names, such as
    /// one of native code or one with native workers.
    /// </summary>
    public static string CommandPath { get; } =
        Environment.GetEnvironmentVariable("ORCHESTRATOR_TEST_COMMAND") is { Length: > 0 } other ? other : BuiltCommandPath;

    /// <summary>Whether the command itself is native code.</summary>
    public static bool IsNative => !File.Exists(CommandPath + ".dll");

    /// <summary>Whether its workers are native code unless a test chooses: then their runtime leaves and prints less.</summary>
    public static bool HasNativeWorkers => IsNative || Directory.Exists(Path.Combine(Path.GetDirectoryName(CommandPath)!, "runtimes"))
        && Directory.EnumerateFiles(
            Path.Combine(Path.GetDirectoryName(CommandPath)!, "runtimes"), "orchestrator-worker", SearchOption.AllDirectories).Any();

    /// <summary>Its data directory.</summary>
    public string DataDirectory { get; }

    /// <summary>Its process id.</summary>
    public int Pid => _process.Id;

    /// <summary>Its gRPC address.</summary>
    public string GrpcAddress { get; private set; } = "";

    /// <summary>Its HTTP address.</summary>
    public string HttpAddress { get; private set; } = "";

    /// <summary>Its token.</summary>
    public string Token { get; private set; } = "";

    /// <summary>What it has printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>
    /// A channel with the token: over gRPC, or with <c>ORCHESTRATOR_TEST_TRANSPORT=local</c> over the local transport.
    /// </summary>
    public CallInvoker Invoker { get; private set; } = null!;

    /// <summary>The task service.</summary>
    public TaskService.TaskServiceClient Tasks => new(Invoker);

    /// <summary>The session service.</summary>
    public SessionService.SessionServiceClient Sessions => new(Invoker);

    /// <summary>The synchronization service.</summary>
    public SyncService.SyncServiceClient Sync => new(Invoker);

    /// <summary>The admin service.</summary>
    public AdminService.AdminServiceClient Admin => new(Invoker);

    /// <summary>Starts one with two workers, and returns when it reports that it is ready.</summary>
    public static Task<CoordinatorProcess> StartAsync(params string[] arguments) => StartAsync(new Dictionary<string, string>(), arguments);

    /// <summary>In a directory that was used before and is kept.</summary>
    public static Task<CoordinatorProcess> StartInAsync(TemporaryDirectory directory, params string[] arguments) =>
        StartInAsync(directory.Path, arguments);

    /// <summary>In a directory of the test's own.</summary>
    public static Task<CoordinatorProcess> StartInAsync(string directory, params string[] arguments) =>
        StartAsync(directory, new Dictionary<string, string>(), arguments);

    /// <summary>The same with variables of its environment.</summary>
    public static Task<CoordinatorProcess> StartInAsync(
        string directory, IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        StartAsync(directory, environment, arguments);

    /// <summary>Started by a program that replaces itself with its arguments' command, such as <c>setsid</c>.</summary>
    public static Task<CoordinatorProcess> StartBehindAsync(IReadOnlyList<string> prefix, params string[] arguments) =>
        StartAsync(null, new Dictionary<string, string>(), arguments, prefix);

    /// <summary>The same with variables of its environment.</summary>
    public static Task<CoordinatorProcess> StartAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments) =>
        StartAsync(null, environment, arguments);

    private static async Task<CoordinatorProcess> StartAsync(
        string? given, IReadOnlyDictionary<string, string> environment, string[] arguments, IReadOnlyList<string>? prefix = null)
    {
        var directory = given ?? Directory.CreateTempSubdirectory("orchestrator-test-").FullName;
        return await StartAsync(new CoordinatorProcess(directory, given is not null, 0, 0, WithDefaults(arguments), environment, prefix));
    }

    /// <summary>
    /// Two workers, and no spare: starting workers is most of what these tests cost, and the spare of most would never be used. Tests of
    /// workers that die under load have one, by <see cref="HotSpare"/>.
    /// </summary>
    private static string[] WithDefaults(string[] arguments)
    {
        // A file of options holds what the test wants.
        if (arguments.Contains("--config"))
            return arguments;
        string[] workers = arguments.Contains("--workers") ? [] : ["--workers", "2"];
        string[] spares = arguments.Contains("--hot-spares") || arguments.Contains("--worker-command") ? [] : ["--hot-spares", "0"];
        return [.. workers, .. spares, .. arguments];
    }

    /// <summary>Starts it again after its end, on the same ports and in the same data directory, which the new one removes.</summary>
    public Task<CoordinatorProcess> StartAgainAsync()
    {
        _directoryPassedOn = true;
        return StartAsync(new CoordinatorProcess(
            DataDirectory, _keepsDirectory, new Uri(GrpcAddress).Port, new Uri(HttpAddress).Port, _arguments, _environment));
    }

    private static async Task<CoordinatorProcess> StartAsync(CoordinatorProcess coordinator)
    {
        var directory = coordinator.DataDirectory;
        try
        {
            await coordinator._ready.Task.WaitAsync(StartLimit);
        }
        catch (TimeoutException)
        {
            await coordinator.DisposeAsync();
            throw new TimeoutException($"the coordinator was not ready after {StartLimit.TotalSeconds} s: {coordinator.Output}");
        }

        using var endpoint = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(directory, ProtocolConstants.EndpointFileName)));
        coordinator.GrpcAddress = endpoint.RootElement.GetProperty("grpc").GetString()!;
        coordinator.HttpAddress = endpoint.RootElement.GetProperty("http").GetString()!;
        coordinator.Token = (await File.ReadAllTextAsync(Path.Combine(directory, ProtocolConstants.TokenFileName))).Trim();
        coordinator.Invoker = Environment.GetEnvironmentVariable(TransportVariable) == "local"
            ? coordinator.ConnectLocally() : coordinator.Connect();
        return coordinator;
    }

    /// <summary>A connection of its own, as another client would have.</summary>
    /// <param name="token">Its token, instead of the owner's; empty for none.</param>
    /// <param name="tls">For a coordinator with TLS.</param>
    public CallInvoker Connect(string? token = null, SslClientAuthenticationOptions? tls = null)
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, UseProxy = false };
        if (tls is not null)
            handler.SslOptions = tls;
        var channel = GrpcChannel.ForAddress(GrpcAddress, new GrpcChannelOptions
        {
            MaxReceiveMessageSize = ProtocolConstants.LargestMessageBytes,
            MaxSendMessageSize = null,
            HttpHandler = handler,
        });
        return token == "" ? channel.CreateCallInvoker() : WithToken(channel.CreateCallInvoker(), token ?? Token);
    }

    /// <summary>The same over the local transport.</summary>
    public CallInvoker ConnectLocally()
    {
        using var endpoint = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(DataDirectory, ProtocolConstants.EndpointFileName)));
        var transport = endpoint.RootElement.GetProperty("local_transport");
        // Its connections are closed by the coordinator's end.
        var connections = LocalConnections.To(
            transport.GetProperty("socket").GetString()!, transport.GetProperty("connections").GetInt32());
        return WithToken(new LocalInvoker(Connect(token: ""), connections), Token);
    }

    private static CallInvoker WithToken(CallInvoker calls, string token) => calls.Intercept(metadata =>
    {
        metadata.Add(ProtocolConstants.AuthorizationHeader, ProtocolConstants.BearerPrefix + token);
        return metadata;
    });

    /// <summary>The workers now.</summary>
    public async Task<IReadOnlyList<WorkerInfo>> WorkersAsync() =>
        (await Admin.GetStatusAsync(new GetStatusRequest(), Deadline())).Status.Workers;

    /// <summary>Waits until an operator's event of this kind has happened after <paramref name="afterSequence"/>.</summary>
    public async Task<WatchEventsResponse> WaitForEventAsync(
        string kind, Func<WatchEventsResponse, bool>? where = null, ulong afterSequence = 0, int seconds = 30)
    {
        using var watch = Admin.WatchEvents(new WatchEventsRequest { AfterSequence = afterSequence }, Deadline(seconds));
        var seen = new List<string>();
        try
        {
            await foreach (var item in watch.ResponseStream.ReadAllAsync())
            {
                if (item.Kind == kind && (where is null || where(item)))
                    return item;
                seen.Add($"{item.Sequence} {item.Kind} {item.Subject}: {item.Message}");
            }
        }
        catch (RpcException exception)
        {
            throw new InvalidOperationException(
                $"no event {kind} came ({exception.Status}), but:\n{string.Join('\n', seen)}\n{Output}", exception);
        }

        throw new InvalidOperationException($"the events ended before one of kind {kind}");
    }

    /// <summary>The options of a call with the default timeout of a test's await.</summary>
    public static CallOptions Deadline(int seconds = 30) => new(deadline: DateTime.UtcNow.AddSeconds(seconds));

    /// <summary>Declares logged errors that contain this text as expected.</summary>
    public void ExpectError(string text) => _expectedErrors.Add(text);

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => Signals.Send(Pid, Signals.Term);

    /// <summary>Sends SIGKILL.</summary>
    public void Kill()
    {
        _endedByTest = true;
        Signals.Send(Pid, Signals.Kill);
    }

    /// <summary>Ends it with SIGKILL, and waits until it and its child processes have ended.</summary>
    public async Task KillAndWaitAsync()
    {
        Kill();
        await _process.WaitForExitAsync().WaitAsync(StopLimit);
        await WaitForFamilyToEndAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>Waits for its end and returns its exit code.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan? limit = null)
    {
        _endedByTest = true;
        await _process.WaitForExitAsync().WaitAsync(limit ?? StopLimit);
        return _process.ExitCode;
    }

    /// <summary>Every living process that this coordinator or its workers started, itself included.</summary>
    public IReadOnlyList<int> Family() => ProcessFamily.Marked(_mark);

    /// <summary>Waits until no process of the family remains.</summary>
    public async Task WaitForFamilyToEndAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        foreach (var pid in Family())
            await ProcessFamily.WaitForEndAsync(pid, timeout.Token);
    }

    /// <summary>Stops it as Ctrl-C would, and checks that no process remains.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited)
            {
                Terminate();
                // Tasks that a test has left running are not awaited: a second signal stops at once.
                using var patience = new CancellationTokenSource(DrainPatience);
                await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!_process.HasExited)
                    Terminate();
                await _process.WaitForExitAsync().WaitAsync(StopLimit);
            }

            await WaitForFamilyToEndAsync(TimeSpan.FromSeconds(5));
            if (!_endedByTest && _process.ExitCode != 0)
                throw new InvalidOperationException($"the coordinator ended with {_process.ExitCode}: {Output}");
            ErrorsInLog.ThrowIfAny(Output, _expectedErrors);
        }
        finally
        {
            foreach (var pid in Family())
                Signals.Send(pid, Signals.Kill);
            _process.Dispose();
            if (!_keepsDirectory && !_directoryPassedOn)
                Directory.Delete(DataDirectory, recursive: true);
        }
    }

    private void OnOutput(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
        // The end of the banner, which tests read, or an event of a log in JSON.
        if (line.StartsWith("Ctrl-C stops it", StringComparison.Ordinal)
            || (line.StartsWith('{') && line.Contains("Orchestrator is ready", StringComparison.Ordinal)))
            _ready.TrySetResult();
    }
}
