namespace Orchestrator.Coordinator.Metrics;

/// <summary>
/// The names of instruments in Prometheus, by OpenTelemetry's rules
/// (opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics): the unit in words and <c>_total</c> are appended.
/// </summary>
internal static class PrometheusName
{
    /// <summary>The name of an instrument, such as <c>orchestrator_task_ended_total</c>.</summary>
    public static string Of(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            "1" => "_ratio",
            _ => "",
        };
        var suffix = instrument.Kind == InstrumentKind.Counter ? "_total" : "";
        return instrument.Name.Replace('.', '_') + unit + suffix;
    }
}
