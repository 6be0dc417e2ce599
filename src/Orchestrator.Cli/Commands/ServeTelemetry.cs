using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Cli.Commands;

/// <summary>The options of <c>orchestrator serve</c> for traces, metrics and logs that go to an OpenTelemetry collector.</summary>
internal static class ServeTelemetry
{
    // Of OpenTelemetry's specification: what runs beside this process may have set it for all programs.
    private const string StandardVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly Option<string?> Otlp = new("--otlp")
    {
        Description = "Send traces and metrics to this OpenTelemetry collector, by OTLP over gRPC unless OTEL_EXPORTER_OTLP_PROTOCOL " +
            $"says otherwise; {StandardVariable} asks for it, too.",
        HelpName = "URL",
    };

    private static readonly Option<bool> OtlpLogs = new("--otlp-logs")
    {
        Description = "Send the log of the coordinator and those of tasks there as well.",
    };

    private static readonly Option<double> Ratio = new("--trace-ratio")
    {
        Description = "The share of tasks without a trace context of their own that are traced, from 0 to 1.",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new TracingOptions().Ratio,
    };

    private static readonly Option<OptionTime?> SlowerThan = DurationOption.Option(
        "--trace-slower-than", "Trace each task that takes longer, and those that fail, are lost or retried: at most 100 a second.",
        new TracingOptions().SlowerThan);

    public static IEnumerable<Option> Options => [Otlp, OtlpLogs, Ratio, SlowerThan];

    /// <summary>Adds these options to the coordinator's.</summary>
    public static CoordinatorOptions Read(CommandContext context, CoordinatorOptions options) => options with
    {
        Traces = new TracingOptions
        {
            Ratio = context.Get(Ratio),
            SlowerThan = context.Get(SlowerThan) ?? options.Traces.SlowerThan,
        },
        PublishMetrics = AddressOf(context) is not null,
        LogTasks = context.Get(OtlpLogs),
    };

    /// <summary>The exporter that was asked for; null if none was.</summary>
    /// <exception cref="UsageException">The address of the collector is missing or malformed.</exception>
    public static OtlpExporter? CreateExporter(CommandContext context)
    {
        if (AddressOf(context) is not { } address)
        {
            return context.Get(OtlpLogs)
                ? throw new UsageException($"--otlp-logs needs the address of a collector: --otlp or {StandardVariable}.") : null;
        }

        // The option stands for the variable: how an address is completed depends on the protocol, which is a variable, too.
        Environment.SetEnvironmentVariable(StandardVariable, address.OriginalString);
        return new OtlpExporter(context.Get(OtlpLogs));
    }

    private static Uri? AddressOf(CommandContext context)
    {
        var (given, name) = context.Get(Otlp) is { Length: > 0 } option
            ? (option, "--otlp") : (Environment.GetEnvironmentVariable(StandardVariable), StandardVariable);
        if (string.IsNullOrEmpty(given))
            return null;
        return Uri.TryCreate(given, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new UsageException(string.Create(
                CultureInfo.InvariantCulture, $"{name} '{given}' is no address of a collector, such as http://localhost:4317."));
    }
}
