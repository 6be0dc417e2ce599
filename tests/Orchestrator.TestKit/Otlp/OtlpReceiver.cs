using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Orchestrator.TestKit.Otlp;

/// <summary>A collector of OpenTelemetry's data on a free port, which keeps what it gets.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly WebApplication _app;
    private readonly Received _received;

    private OtlpReceiver(WebApplication app, Received received) => (_app, _received) = (app, received);

    /// <summary>Its address.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>The spans so far, each with the name of its source.</summary>
    public IReadOnlyList<(string Source, Span Span)> Spans => [.. _received.Spans];

    /// <summary>The messages of metrics so far, each with the name of its meter.</summary>
    public IReadOnlyList<(string Meter, Metric Metric)> Metrics => [.. _received.Metrics];

    /// <summary>The lines of logs so far.</summary>
    public IReadOnlyList<(string Category, LogRecord Line)> Logs => [.. _received.Logs];

    /// <summary>Starts one.</summary>
    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var received = new Received();
        builder.Services.AddSingleton(received).AddGrpc();
        var app = builder.Build();
        app.MapGrpcService<Traces>();
        app.MapGrpcService<MetricPoints>();
        app.MapGrpcService<Lines>();
        await app.StartAsync();
        return new OtlpReceiver(app, received);
    }

    /// <summary>Waits until the received data are as wanted.</summary>
    public async Task<T> WaitForAsync<T>(Func<OtlpReceiver, T?> find)
        where T : class
    {
        var end = DateTime.UtcNow + Limit;
        while (true)
        {
            var next = _received.Next;
            if (find(this) is { } found)
                return found;
            try
            {
                await next.WaitAsync(end - DateTime.UtcNow);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException(
                    "What was waited for has not come. Spans: " + string.Join(", ", Spans.Select(item => item.Span.Name))
                    + "; metrics: " + string.Join(", ", Metrics.Select(item => item.Metric.Name).Distinct())
                    + "; logs: " + string.Join(", ", Logs.Select(item => item.Line.Body.StringValue)));
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class Received
    {
        private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<(string Source, Span Span)> Spans { get; } = new();

        public ConcurrentQueue<(string Meter, Metric Metric)> Metrics { get; } = new();

        public ConcurrentQueue<(string Category, LogRecord Line)> Logs { get; } = new();

        public Task Next => Volatile.Read(ref _next).Task;

        public Accepted Accept()
        {
            Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
            return new Accepted();
        }
    }

    private sealed class Traces(Received received) : TraceService.TraceServiceBase
    {
        public override Task<Accepted> Export(ExportTraces request, ServerCallContext context)
        {
            foreach (var scope in request.ResourceSpans.SelectMany(resource => resource.ScopeSpans))
            {
                foreach (var span in scope.Spans)
                    received.Spans.Enqueue((scope.Scope.Name, span));
            }

            return Task.FromResult(received.Accept());
        }
    }

    private sealed class MetricPoints(Received received) : MetricsService.MetricsServiceBase
    {
        public override Task<Accepted> Export(ExportMetrics request, ServerCallContext context)
        {
            foreach (var scope in request.ResourceMetrics.SelectMany(resource => resource.ScopeMetrics))
            {
                foreach (var metric in scope.Metrics)
                    received.Metrics.Enqueue((scope.Scope.Name, metric));
            }

            return Task.FromResult(received.Accept());
        }
    }

    private sealed class Lines(Received received) : LogsService.LogsServiceBase
    {
        public override Task<Accepted> Export(ExportLogs request, ServerCallContext context)
        {
            foreach (var scope in request.ResourceLogs.SelectMany(resource => resource.ScopeLogs))
            {
                foreach (var line in scope.LogRecords)
                    received.Logs.Enqueue((scope.Scope.Name, line));
            }

            return Task.FromResult(received.Accept());
        }
    }
}
