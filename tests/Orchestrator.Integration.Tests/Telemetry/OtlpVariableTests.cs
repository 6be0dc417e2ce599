using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Telemetry;

/// <summary>The variables of OpenTelemetry's specification count for all signals, whichever way the collector is named.</summary>
public sealed class OtlpVariableTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Protocol_headers_and_intervals_are_those_of_the_standard(bool byOption)
    {
        var (seen, all) = (new ConcurrentDictionary<string, string>(), new TaskCompletionSource());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost("/v1/{signal}", (string signal, HttpRequest request) =>
        {
            seen[signal] = request.Headers["x-key"].ToString();
            if (seen.Count == 3)
                all.TrySetResult();
        });
        await collector.StartAsync(TestContext.Current.CancellationToken);
        var address = collector.Urls.Single();
        var variables = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_EXPORTER_OTLP_HEADERS"] = "x-key=secret",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
            ["OTEL_BLRP_SCHEDULE_DELAY"] = "100",
        };
        if (!byOption)
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = address;
        string[] option = byOption ? ["--otlp", address] : [];
        await using var coordinator = await CoordinatorProcess.StartAsync(
            variables, ["--workers", "1", "--allow-chaos", "--trace-ratio", "1", "--otlp-logs", .. option]);
        // Its span, and the line that says how its worker died.
        await coordinator.RunAsync(Specs.Json("crash", "{}"));
        await all.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(
            [("logs", "secret"), ("metrics", "secret"), ("traces", "secret")],
            seen.Select(item => (item.Key, item.Value)).Order());
        Assert.DoesNotContain("telemetry could not be sent", coordinator.Output, StringComparison.Ordinal);
    }
}
