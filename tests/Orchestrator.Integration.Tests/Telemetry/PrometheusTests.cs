using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Orchestrator.Integration.Tests.Interop;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Telemetry;

/// <summary>
/// <c>/metrics</c> by Prometheus's own tools, and when there is much to tell. Run by <c>scripts/accept metrics</c>: they take a minute, or
/// assert durations.
/// </summary>
public sealed class PrometheusTests(ITestOutputHelper output)
{
    private const string Package = "the Debian package prometheus";

    [Fact(Explicit = true)]
    public async Task Its_check_finds_nothing_wrong()
    {
        var promtool = ExternalTool.Require("promtool", Package);
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");
        await UseAsync(coordinator);
        var (page, _) = await ReadAsync(coordinator);
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "metrics");
        await File.WriteAllTextAsync(file, page, TestContext.Current.CancellationToken);
        var check = await ExternalTool.RunAsync("/bin/sh", ["-c", "exec \"$0\" check metrics < \"$1\"", promtool, file]);
        output.WriteLine($"{page.Length:N0} bytes");
        Assert.True(check.ExitCode == 0, check.Output + check.Error);
    }

    [Fact(Explicit = true)]
    public async Task It_scrapes_for_a_minute_what_the_status_says()
    {
        var prometheus = ExternalTool.Require("prometheus", Package);
        await using var coordinator = await CoordinatorProcess.StartAsync();
        using var directory = new TemporaryDirectory();
        var configuration = Path.Combine(directory.Path, "prometheus.yml");
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            scrape_configs:
              - job_name: orchestrator
                scrape_interval: 1s
                authorization: { credentials: {{coordinator.Token}} }
                static_configs: [{ targets: ["{{new Uri(coordinator.HttpAddress).Authority}}"] }]
            """,
            TestContext.Current.CancellationToken);
        var port = FreePort();
        using var server = Process.Start(new ProcessStartInfo(prometheus)
        {
            ArgumentList =
            {
                $"--config.file={configuration}", $"--storage.tsdb.path={Path.Combine(directory.Path, "data")}",
                $"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
            },
        })!;
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
            {
                BaseAddress = new Uri($"http://127.0.0.1:{port}"),
                Timeout = TimeSpan.FromSeconds(20),
            };
            var watch = Stopwatch.StartNew();
            // The minute is what is tested.
            while (watch.Elapsed < TimeSpan.FromMinutes(1))
                await coordinator.StreamAsync(Enumerable.Repeat(Specs.Json("sum_of_squares", """{"n": 100}"""), 500));
            var status = (await coordinator.Admin.GetStatusAsync(new GetStatusRequest(), CoordinatorProcess.Deadline())).Status;
            double scraped;
            do
                scraped = await QueryAsync(http, "sum(orchestrator_task_ended_total)");
            while (!(scraped >= status.Tasks.Succeeded));
            Assert.Equal(status.Tasks.Succeeded, scraped);
            Assert.Equal(1, await QueryAsync(http, "min_over_time(up[1m])"));
            var scrapes = await QueryAsync(http, "count_over_time(up[1m])");
            output.WriteLine($"{scrapes} scrapes, {scraped:N0} tasks");
            Assert.InRange(scrapes, 50, 70);
            Assert.Equal(scraped, await QueryAsync(http, "orchestrator_task_run_duration_seconds_count"));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Part 9, 11.</summary>
    [Fact(Explicit = true)]
    public async Task A_million_queued_tasks_and_ten_thousand_queues_are_told_soon()
    {
        // With the one that runs, as many as one client may have.
        const int Tasks = 1_000_000 - 1;
        const int Batch = 100_000;
        const int Queues = 10_000;
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1", "--allow-chaos");
        var blocker = (await coordinator.SubmitAsync(Specs.Json("spin", """{"ms": 600000}"""))).Single();
        await coordinator.WaitUntilRunningAsync(blocker);
        for (var at = 0; at < Tasks; at += Batch)
        {
            var batch = Enumerable.Repeat(Specs.Json("sum_of_squares", """{"n": 1}"""), Math.Min(Batch, Tasks - at));
            await coordinator.Tasks.SubmitTasksAsync(
                new SubmitTasksRequest { Tasks = { batch } },
                CoordinatorProcess.Deadline(120));
        }

        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        for (var i = 0; i < Queues; i++)
        {
            await queues.CreateQueueAsync(
                new CreateQueueRequest { Spec = new QueueSpec { Name = $"queue-{i}" } }, CoordinatorProcess.Deadline());
        }

        var (lists, pages) = (new List<double>(), new List<double>());
        for (var i = 0; i < 21; i++)
        {
            var watch = Stopwatch.StartNew();
            var list = await coordinator.Tasks.ListTasksAsync(
                new ListTasksRequest { PageSize = 50, States = { TaskState.Queued }, Handler = "sum_of_squares", Total = true },
                CoordinatorProcess.Deadline());
            lists.Add(watch.Elapsed.TotalMilliseconds);
            Assert.Equal((50, Tasks, false), (list.Tasks.Count, list.Total, list.TotalIsMinimum));
            var (page, took) = await ReadAsync(coordinator);
            pages.Add(took.TotalMilliseconds);
            Assert.InRange(page.Length, 1, 1 << 20);
            Assert.Contains($$"""orchestrator_task_queued{handler="sum_of_squares"} {{Tasks}}""", page, StringComparison.Ordinal);
        }

        lists.Sort();
        pages.Sort();
        output.WriteLine($"the first rows after {lists[10]:0} ms ({lists[0]:0} to {lists[20]:0}), /metrics after {pages[10]:0} ms " +
            $"({pages[0]:0} to {pages[20]:0})");
        Assert.InRange(lists[10], 0, 300);
        Assert.InRange(pages[10], 0, 100);
        await coordinator.Tasks.CancelTasksAsync(
            new CancelTasksRequest { TaskIds = { blocker }, Force = true }, CoordinatorProcess.Deadline());
    }

    /// <summary>Leaves a value in nearly every instrument.</summary>
    private static async Task UseAsync(CoordinatorProcess coordinator)
    {
        await coordinator.StreamAsync(Enumerable.Repeat(Specs.Json("sum_of_squares", """{"n": 3}"""), 50));
        await coordinator.RunAsync(Specs.Json(
            "sum_of_squares", """{"n": 3}""", new TaskOptions { Durability = Durability.Disk }));
        await coordinator.RunAsync(Specs.Json("throw", """{"message": "no"}"""));
        await coordinator.RunAsync(Specs.Json("exit", """{"code": 3}"""));
        var queues = new QueueService.QueueServiceClient(coordinator.Invoker);
        await queues.CreateQueueAsync(new CreateQueueRequest { Spec = new QueueSpec { Name = "jobs" } }, CoordinatorProcess.Deadline());
        await queues.PutAsync(
            new PutRequest { Queue = "jobs", Items = { new QueueItem { Body = new Payload() } } }, CoordinatorProcess.Deadline());
        var first = await coordinator.Sessions.CreateSessionAsync(new CreateSessionRequest(), CoordinatorProcess.Deadline());
        var second = await coordinator.Sessions.CreateSessionAsync(new CreateSessionRequest(), CoordinatorProcess.Deadline());
        await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "build", SessionId = first.SessionId }, CoordinatorProcess.Deadline());
        await coordinator.Sync.AcquireLockAsync(
            new AcquireLockRequest { Lock = "build", SessionId = second.SessionId, Timeout = Specs.Seconds(0.05) },
            CoordinatorProcess.Deadline());
    }

    private static async Task<(string Page, TimeSpan Took)> ReadAsync(CoordinatorProcess coordinator)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(coordinator.HttpAddress),
            Timeout = TimeSpan.FromSeconds(20),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", coordinator.Token);
        var watch = Stopwatch.StartNew();
        var page = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        return (page, watch.Elapsed);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task<double> QueryAsync(HttpClient prometheus, string query)
    {
        var answer = await prometheus.GetStringAsync(
            new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative), TestContext.Current.CancellationToken);
        using var document = JsonDocument.Parse(answer);
        var results = document.RootElement.GetProperty("data").GetProperty("result");
        return results.GetArrayLength() == 0
            ? double.NaN : double.Parse(results[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
    }
}
