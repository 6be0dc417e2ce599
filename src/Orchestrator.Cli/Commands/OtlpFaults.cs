using System.Diagnostics.Tracing;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// Says that telemetry cannot be sent, which OpenTelemetry's SDK keeps to itself: at the first time and then at most once a minute.
/// </summary>
internal sealed class OtlpFaults : EventListener
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private long _saidAt;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "OpenTelemetry-Exporter-OpenTelemetryProtocol")
            EnableEvents(eventSource, EventLevel.Warning);
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        var now = TimeProvider.System.GetTimestamp();
        var last = Volatile.Read(ref _saidAt);
        if ((last != 0 && TimeProvider.System.GetElapsedTime(last, now) < Quiet)
            || Interlocked.CompareExchange(ref _saidAt, now, last) != last)
        {
            return;
        }

        var payload = eventData.Payload?.Select(item => item?.ToString()).ToArray() ?? [];
        var text = eventData.Message is { } format ? string.Format(System.Globalization.CultureInfo.InvariantCulture, format, payload) : "";
        // The first line: what follows is a stack trace.
        Console.Error.WriteLine($"orchestrator: telemetry could not be sent: {text.Split('\n')[0].Trim()}");
    }
}
