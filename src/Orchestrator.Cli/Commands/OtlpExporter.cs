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
/// Only the address is set here; the other variables of OpenTelemetry's specification (OTEL_EXPORTER_OTLP_PROTOCOL, …_HEADERS,
/// OTEL_METRIC_EXPORT_INTERVAL, OTEL_RESOURCE_ATTRIBUTES) are read by its SDK.
/// </remarks>
internal sealed class OtlpExporter : IDisposable
{
    // A collector that is not there must not delay the end of the coordinator for longer.
    private const int LastFlushMilliseconds = 2_000;

    private const int MaxWaitingSpans = 32_768;

    private readonly Uri _address;
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;
    private readonly OtlpFaults _faults = new();

    public OtlpExporter(Uri address, bool exportsLogs)
    {
        _address = address;
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
            .AddOtlpExporter(otlp => otlp.Endpoint = address)
            .Build();
        if (exportsLogs)
            Services.AddLogging(logging => logging.AddOpenTelemetry(ConfigureLogs));
    }

    /// <summary>What the coordinator's log needs to be exported.</summary>
    public IServiceCollection Services { get; } = new ServiceCollection();

    public void Dispose()
    {
        _traces.Shutdown(LastFlushMilliseconds);
        _metrics.Shutdown(LastFlushMilliseconds);
        _traces.Dispose();
        _metrics.Dispose();
        _faults.Dispose();
    }

    private static ResourceBuilder Describe() => ResourceBuilder.CreateDefault().AddService(
        "orchestrator", serviceVersion: typeof(OtlpExporter).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>()?.Version)
        .AddEnvironmentVariableDetector();

    private void ConfigureTraces(OtlpExporterOptions otlp)
    {
        otlp.Endpoint = _address;
        // A burst of tasks has more spans than the usual 2,048.
        if (Environment.GetEnvironmentVariable("OTEL_BSP_MAX_QUEUE_SIZE") is null)
            otlp.BatchExportProcessorOptions.MaxQueueSize = MaxWaitingSpans;
    }

    private void ConfigureLogs(OpenTelemetryLoggerOptions logs)
    {
        logs.SetResourceBuilder(Describe());
        logs.IncludeScopes = true;
        logs.IncludeFormattedMessage = true;
        logs.AddOtlpExporter(otlp => otlp.Endpoint = _address);
    }
}
