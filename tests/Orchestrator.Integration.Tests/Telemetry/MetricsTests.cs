using System.Net;
using System.Net.Http.Headers;
using Orchestrator.Client.Tasks;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Security;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Telemetry;

/// <summary><c>/metrics</c>, as a scraper reads it.</summary>
public sealed class MetricsTests
{
    [Fact]
    public async Task A_scraper_that_may_observe_reads_tasks_workers_limits_and_the_process()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--memory-budget", "300MB", "--allow-chaos");
        await coordinator.StreamAsync(Enumerable.Repeat(Specs.Json("sum_of_squares", """{"n": 3}"""), 7));
        await coordinator.RunAsync(Specs.Json("throw", """{"message": "no"}"""));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(coordinator.HttpAddress),
            Timeout = TimeSpan.FromSeconds(20)
        };
        using var stranger = await http.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        var (_, token) = new TokenFiles(coordinator.DataDirectory, TimeProvider.System).Create(Role.Observe, null, "scraper");
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var page = await ReadAsync(http);
        Assert.Equal(7, page["""orchestrator_task_ended_total{handler="sum_of_squares",state="succeeded",reason=""}"""]);
        Assert.Equal(1, page["""orchestrator_task_ended_total{handler="throw",state="failed",reason="handler_failed"}"""]);
        Assert.Equal(7, page["""orchestrator_task_accepted_total{handler="sum_of_squares"}"""]);
        Assert.Equal(7, page["""orchestrator_task_attempts_total{handler="sum_of_squares",outcome="ended"}"""]);
        Assert.Equal(0, page["""orchestrator_task_running{handler="throw",lane="cpu"}"""]);
        foreach (var times in (string[])["", "queue_", "run_"])
        {
            Assert.Equal(7, page[$$"""orchestrator_task_{{times}}duration_seconds_count{handler="sum_of_squares"}"""]);
            Assert.Equal(7, page[$$"""orchestrator_task_{{times}}duration_seconds_bucket{handler="sum_of_squares",le="+Inf"}"""]);
        }

        Assert.True(page["""orchestrator_task_duration_seconds_sum{handler="sum_of_squares"}"""] > 0);
        Assert.Equal(1, page["""orchestrator_worker_state{worker="worker-2",group="worker",state="ready"}"""]);
        Assert.Equal(0, page["""orchestrator_worker_state{worker="worker-2",group="worker",state="failed"}"""]);
        Assert.True(page["""orchestrator_worker_memory_usage_bytes{worker="worker-1",group="worker"}"""] > 1 << 20);
        Assert.Equal(300 << 20, page["""orchestrator_limit_maximum{limit="memory",unit="bytes"}"""]);
        Assert.True(page["process_memory_usage_bytes"] > 1 << 20);
        Assert.True(page["process_cpu_time_seconds_total"] > 0);
        Assert.Equal(1, page["""orchestrator_refused_calls_total{why="no_credential"}"""]);
        Assert.Equal(0, page["""orchestrator_refused_calls_total{why="wrong_credential"}"""]);

        await coordinator.Admin.ScaleWorkersAsync(new ScaleWorkersRequest { Workers = 1 }, CoordinatorProcess.Deadline());
        await coordinator.RunAsync(Specs.Json("sum_of_squares", """{"n": 3}"""));
        page = await ReadAsync(http);
        Assert.Equal(8, page["""orchestrator_task_ended_total{handler="sum_of_squares",state="succeeded",reason=""}"""]);
        Assert.DoesNotContain(page.Keys, key => key.Contains("worker-2", StringComparison.Ordinal));
    }

    private static async Task<Dictionary<string, double>> ReadAsync(HttpClient http) =>
        (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n')
        .Where(line => line.Length > 0 && line[0] != '#')
        .ToDictionary(line => line[..line.LastIndexOf(' ')], line => double.Parse(
            line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
}
