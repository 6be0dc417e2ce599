using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Orchestrator.Client.Objects;
using Orchestrator.Integration.Tests.Sdk;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.WorkerSdk;

/// <summary>
/// The command with native workers: every stock handler answers as on the just-in-time compiler, and the worker lives, dies and is seen as
/// one. Explicit, since the native compiler takes a minute: <c>scripts/accept native</c>, which also runs the scenarios of other classes
/// over native workers.
/// </summary>
[Trait("Kind", "slow")]
[Collection(NativeCode.Name)]
public sealed class NativeWorkerTests
{
    private const long MaxBytes = 20_000_000;
    private const int ToolsAreMissing = 3;

    // Each with an input that it refuses, too.
    private static readonly (string Handler, string Input)[] s_tasks =
    [
        ("sum_of_squares", """{"n": 1000000}"""), ("sum_of_squares", """{"n": "many"}"""), ("fibonacci", """{"n": 15}"""),
        ("fibonacci", "{}"), ("count_primes", """{"limit": 10000}"""), ("sha256", """{"text": "abc", "rounds": 3}"""),
        ("gzip", "\"hello hello hello\""), ("gunzip", "\"no gzip\""), ("mandelbrot", """{"width": 20, "height": 10}"""),
        ("matrix_multiply", """{"n": 20, "seed": 1}"""), ("monte_carlo_pi", """{"samples": 1000, "seed": 1}"""),
        ("sort", """{"count": 1000, "seed": 1}"""), ("sort", """{"count": 0}"""), ("echo", """{"a": [1, "é", null]}"""),
        ("sleep", """{"ms": 1}"""), ("blocking_sleep", """{"ms": 1}"""), ("hold", """{"locks": ["a", "b"], "semaphore": "s"}"""),
        ("wait_barrier", """{"barrier": "b", "parties": 1}"""), ("rate_limited", """{"limiter": "l", "times": 3}"""),
        ("rate_limited", """{"limiter": "none"}"""), ("produce", """{"queue": "q", "count": 7}"""),
        ("consume", """{"queue": "q", "count": 7}"""), ("increment", """{"dict": "d", "key": "k", "times": 3, "protection": "none"}"""),
        ("increment", """{"dict": "d", "key": "k", "times": 3, "protection": "lock"}"""),
        ("increment", """{"dict": "d", "key": "k", "times": 3, "protection": "add"}"""),
        ("increment", """{"dict": "d", "key": "k", "times": 3, "protection": "guard"}"""), ("throw", """{"message": "no luck"}"""),
        ("allocate", """{"mb": 3}"""), ("leak", """{"mb": 1}"""), ("spin", """{"ms": 5}"""), ("spin", """{"ms": -1}"""),
        ("flood_stderr", """{"mb": 1}"""), ("no_such_handler", "{}"),
    ];

    [Fact(Explicit = true)]
    public async Task A_native_worker_is_as_one_on_the_just_in_time_compiler()
    {
        using var copy = await PublishAsync();
        using var page = new OnePage();
        using var folder = new TemporaryDirectory();
        var tasks = new List<(string Handler, string Input)>(s_tasks)
        {
            ("http_get", Json(new { url = page.Address })), ("http_get", Json(new { url = "http://127.0.0.1:1/" })),
            ("read_file", Json(new { path = Path.Combine(folder.Path, "a.txt") })), ("read_file", Json(new { path = "/etc/passwd" })),
            ("sql_query", Json(new { database = Path.Combine(folder.Path, "a.db"), sql = "select n, 'é' as t from numbers" })),
            ("sql_query", Json(new { database = Path.Combine(folder.Path, "a.db"), sql = "delete from numbers" })),
        };
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "a.txt"), "text", TestContext.Current.CancellationToken);
        MakeDatabase(Path.Combine(folder.Path, "a.db"));
        string[] options = ["--workers", "1", "--allow-chaos", "--allow-url", page.Address, "--allow-directory", folder.Path];
        await using var native = await CoordinatorProcess.StartBehindAsync(copy.Prefix, [.. options, "--worker-runtime", "native"]);
        await using var jit = await CoordinatorProcess.StartBehindAsync(copy.Prefix, [.. options, "--worker-runtime", "jit"]);
        var answers = await AnswersAsync(native, tasks);
        Assert.Equal(await AnswersAsync(jit, tasks), answers);
        Assert.Equal(
            tasks.Select(task => task.Handler).Distinct().Except(["no_such_handler"]).Append("pipe_echo").Order(), Offered(native));

        var worker = Assert.Single(await native.WorkersAsync());
        Assert.EndsWith(" native", worker.Runtime, StringComparison.Ordinal);
        Assert.Contains(
            File.ReadLines($"/proc/{worker.Pid}/status"), line => line == $"Cpus_allowed_list:\t{worker.Core}");
        var (_, output) = await CommandLine.RunProgramAsync(
            copy.Command, new Dictionary<string, string>(), "status", "--data-dir", native.DataDirectory);
        Assert.Contains($"Workers run on {worker.Runtime} (1).", output, StringComparison.Ordinal);
        // Its end is the end of its workers.
        await native.KillAndWaitAsync();
    }

    [Fact(Explicit = true)]
    public async Task A_native_worker_is_small_and_says_why_it_dies()
    {
        using var copy = await PublishAsync();
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(copy.Prefix, "--workers", "1", "--allow-chaos");
        var idle = Assert.Single(await coordinator.WorkersAsync());
        Assert.EndsWith(" native", idle.Runtime, StringComparison.Ordinal);
        Assert.InRange(ResidentBytes(idle.Pid), 1, MaxBytes);
        await AssertDiesAsync("crash", "SIGSEGV (11)", null);
        await AssertDiesAsync("exit", "exited with code 1", null);
        await AssertDiesAsync("abort", "SIGABRT (6)", "Process terminated. aborted on purpose");
        await AssertDiesAsync("stack_overflow", "SIGABRT (6)", "Stack overflow.");

        async Task AssertDiesAsync(string handler, string cause, string? firstWord)
        {
            var result = await coordinator.RunAsync(Specs.Json(handler));
            Assert.Equal(TaskState.WorkerLost, result.State);
            Assert.Contains(cause, result.Error.Message, StringComparison.Ordinal);
            Assert.Equal(firstWord, result.Error.PostMortem.LastStderrLines.FirstOrDefault());
        }
    }

    [Fact(Explicit = true)]
    public async Task Workers_that_serve_grpc_are_not_native_which_is_said()
    {
        using var copy = await PublishAsync();
        await using var coordinator = await CoordinatorProcess.StartBehindAsync(copy.Prefix, "--workers", "1", "--worker-grpc");
        Assert.Contains("--worker-grpc needs the web framework", coordinator.Output, StringComparison.Ordinal);
        var worker = Assert.Single(await coordinator.WorkersAsync());
        Assert.DoesNotContain("native", worker.Runtime, StringComparison.Ordinal);
        Assert.True(File.Exists(worker.Socket));
    }

    /// <summary>Publishes it, unless that has been done, beside a copy of the command.</summary>
    private static async Task<CommandCopy> PublishAsync()
    {
        var copy = await CommandCopy.CreateAsync();
        var (code, output) = await NativeCode.RunAsync(Repository.PathOf("scripts", "native-worker"), [copy.Folder], []);
        if (code != 0)
            copy.Dispose();
        Assert.SkipWhen(code == ToolsAreMissing, output);
        Assert.True(code == 0, output);
        Assert.DoesNotContain("warning", output, StringComparison.OrdinalIgnoreCase);
        return copy;
    }

    private static async Task<List<string>> AnswersAsync(CoordinatorProcess coordinator, List<(string Handler, string Input)> tasks)
    {
        await using var client = await SdkFixture.ConnectAsync(coordinator);
        await client.CreateQueueAsync("q");
        await client.CreatePipeAsync("p", new PipeOptions { Duplex = true });
        await client.CreateRateLimiterAsync("l", new RateLimiterOptions { Permits = 100, Period = TimeSpan.FromMinutes(1) });
        var answers = new List<string>();
        foreach (var (handler, input) in tasks)
        {
            var result = await coordinator.RunAsync(Specs.Json(handler, input));
            answers.Add($"{handler}: {result.State} {result.Output} {result.Error?.Reason} {result.Error?.Type} {result.Error?.Message}");
        }

        await using var session = await client.OpenSessionAsync("native");
        await using (var end = session.Pipe<long>("p").EndA)
        {
            var echo = (await coordinator.SubmitAsync(Specs.Json("pipe_echo", """{"pipe": "p", "end": "B"}"""))).Single();
            await end.SendAsync(5);
            Assert.Equal(5, await end.ReceiveAsync());
            await end.DisposeAsync();
            answers.Add($"{(await coordinator.WaitAsync([echo])).Single().Output}");
        }

        // What never ends by itself ends with its worker.
        var hung = await coordinator.RunAsync(Specs.Json("hang", options: new TaskOptions { RunTimeout = Specs.Seconds(0.1) }));
        answers.Add($"{hung.State} {hung.Error.Reason} {hung.Error.Rung}");
        return answers;
    }

    private static IEnumerable<string> Offered(CoordinatorProcess coordinator) =>
        coordinator.Tasks.ListHandlers(new ListHandlersRequest(), CoordinatorProcess.Deadline()).Handlers
            .Where(handler => handler.Groups.Contains("worker")).Select(handler => handler.Name)
            .Except(["hang", "crash", "exit", "abort", "stack_overflow"]).Order();

    private static long ResidentBytes(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line["VmRSS:".Length..^" kB".Length], System.Globalization.CultureInfo.InvariantCulture) * 1_024;
    }

    private static string Json(object value) => JsonSerializer.Serialize(value);

    private static void MakeDatabase(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "create table numbers (n integer); insert into numbers values (1), (2)";
        command.ExecuteNonQuery();
    }

    /// <summary>A web server on loopback with one text.</summary>
    private sealed class OnePage : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Task _serving;

        public OnePage()
        {
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Address);
            _listener.Start();
            _serving = ServeAsync();
        }

        public string Address { get; }

        public void Dispose()
        {
            _listener.Stop();
            _serving.Wait(TimeSpan.FromSeconds(10));
            _listener.Close();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                HttpListenerContext call;
                try
                {
                    call = await _listener.GetContextAsync();
                }
                catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                await call.Response.OutputStream.WriteAsync("text"u8.ToArray());
                call.Response.Close();
            }
        }
    }
}
