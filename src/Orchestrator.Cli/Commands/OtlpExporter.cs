using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Orchestrator.App;

namespace Orchestrator.Cli.Commands;

/// <summary>Sends the coordinator's spans, metrics and, on request, logs to an OpenTelemetry collector.</summary>
/// <remarks>
/// Everything about the collector is read by OpenTelemetry's SDK from the variables of its specification (OTEL_EXPORTER_OTLP_ENDPOINT,
/// …_PROTOCOL, …_HEADERS, OTEL_METRIC_EXPORT_INTERVAL, OTEL_RESOURCE_ATTRIBUTES, …), so that each has the meaning that it has elsewhere.
/// </remarks>
internal sealed class OtlpExporter : IDisposable
{
    // A collector that does not answer must not delay the end of the coordinator for longer.
    private const int LastFlushMilliseconds = 2_000;

    private const int MaxWaitingSpans = 32_768;

    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;
    private readonly ServiceProvider? _logs;
    private readonly OtlpFaults _faults = new();

    /// <summary>Begins to export.</summary>
    /// <param name="exportsLogs">Whether logs are exported, too.</param>
    public OtlpExporter(bool exportsLogs)
    {
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(Describe())
            // The coordinator has decided already.
            .SetSampler(new AlwaysOnSampler())
            .AddSource(OrchestratorApp.ActivitySourceName)
            .AddOtlpExporter(ConfigureTraces)
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(Describe())
            .AddMeter(OrchestratorApp.MeterName, "System.Runtime")
            .AddOtlpExporter()
            .Build();
        if (!exportsLogs)
            return;
        // Apart from the coordinator's services, whose configuration holds no environment variables.
        _logs = new ServiceCollection().AddLogging(logging => logging.AddOpenTelemetry(ConfigureLogs)).BuildServiceProvider();
        foreach (var provider in _logs.GetServices<ILoggerProvider>())
            Services.AddSingleton(provider);
    }

    /// <summary>What the coordinator's log needs to be exported.</summary>
    public IServiceCollection Services { get; } = new ServiceCollection();

    public void Dispose()
    {
        _traces.Shutdown(LastFlushMilliseconds);
        _metrics.Shutdown(LastFlushMilliseconds);
        _logs?.GetService<LoggerProvider>()?.Shutdown(LastFlushMilliseconds);
        _traces.Dispose();
        _metrics.Dispose();
        _logs?.Dispose();
        _faults.Dispose();
    }

    private static ResourceBuilder Describe() => ResourceBuilder.CreateDefault().AddService(
        "orchestrator", serviceVersion: typeof(OtlpExporter).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()?.Version)
        .AddEnvironmentVariableDetector();

    private static void ConfigureTraces(OtlpExporterOptions otlp)
    {
        // A burst of tasks has more spans than the usual 2,048.
        if (Environment.GetEnvironmentVariable("OTEL_BSP_MAX_QUEUE_SIZE") is null)
            otlp.BatchExportProcessorOptions.MaxQueueSize = MaxWaitingSpans;
    }

    private static void ConfigureLogs(OpenTelemetryLoggerOptions logs)
    {
        logs.SetResourceBuilder(Describe());
        logs.IncludeScopes = true;
        logs.IncludeFormattedMessage = true;
        logs.AddOtlpExporter();
    }
}
