using Orchestrator.V1;

namespace Orchestrator.Cli.Output;

/// <summary>What handlers did in the last ten seconds, in tables.</summary>
internal static class WindowColumns
{
    /// <summary>The columns.</summary>
    public static readonly Column[] Columns =
    [
        new("tasks/s", true), new("run p50", true), new("run p99", true), new("latency p50", true), new("latency p99", true),
    ];

    /// <summary>A handler's cells; a dash where it ended no task and ran no attempt.</summary>
    public static string[] Cells(ServiceStatus status, string handler)
    {
        var window = status.Window?.Handlers.FirstOrDefault(item => item.Handler == handler);
        return
        [
            window is null ? "–" : Format.Rate(window.PerSecond),
            Time(window?.RunP50),
            Time(window?.RunP99),
            Time(window?.LatencyP50),
            Time(window?.LatencyP99),
        ];
    }

    private static string Time(Google.Protobuf.WellKnownTypes.Duration? time) => time is null ? "–" : Format.Time(time);
}
