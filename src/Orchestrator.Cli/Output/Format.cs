using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;

namespace Orchestrator.Cli.Output;

/// <summary>Formats values of the contract as text.</summary>
internal static class Format
{
    /// <summary>The address at which a coordinator was reached.</summary>
    public static string Address(Uri address) =>
        address.Scheme == "unix" ? $"unix:{address.LocalPath}" : address.GetLeftPart(UriPartial.Authority);

    public static string State(TaskState state) => Name(state.ToString());

    public static string Kind(TaskKind kind) => kind switch
    {
        TaskKind.Cpu => "CPU",
        TaskKind.Io => "IO",
        TaskKind.Blocking => "blocking",
        _ => "?",
    };

    public static string Worker(WorkerState state) => Name(state.ToString());

    /// <summary>How and why a task did not succeed, on one line.</summary>
    public static string Failure(TaskResult result) =>
        result.Error is null ? State(result.State) : $"{State(result.State)}: {Cause(result.Error)}";

    /// <summary>Why a task did not succeed, on one line.</summary>
    public static string Cause(TaskError error)
    {
        var type = error.Type.Length > 0 ? error.Type + ": " : "";
        var line = type + FirstLine(error.Message);
        if (error.Rung is not (CancelRung.Unspecified or CancelRung.BeforeStart))
            line += $" ({Name(error.Rung.ToString())})";
        if (error.PostMortem is { } death)
            line += $" [{Death(death)}]";
        return line;
    }

    public static string Output(Payload? payload) => payload?.ContentCase switch
    {
        Payload.ContentOneofCase.Json => Payloads.ToJson(payload),
        Payload.ContentOneofCase.Data => $"{payload.Data.Length:N0} bytes",
        _ => "null",
    };

    public static string Time(TimeSpan? time) => time switch
    {
        null => "–",
        { TotalMilliseconds: < 1 } t => Number(t.TotalMicroseconds) + " µs",
        { TotalSeconds: < 1 } t => Number(t.TotalMilliseconds) + " ms",
        { TotalMinutes: < 2 } t => Number(t.TotalSeconds) + " s",
        { TotalHours: < 2 } t => $"{(int)t.TotalMinutes} min {t.Seconds} s",
        { TotalDays: < 2 } t => $"{(int)t.TotalHours} h {t.Minutes} min",
        { } t => $"{(int)t.TotalDays} d {t.Hours} h",
    };

    public static string Time(Duration? time) => Time(time?.ToTimeSpan());

    public static string Rate(double perSecond) =>
        perSecond >= 100 ? perSecond.ToString("N0", CultureInfo.InvariantCulture) : Number(perSecond);

    public static string Bytes(ulong bytes) => bytes switch
    {
        < 10_000 => $"{bytes} B",
        < 10_000_000 => $"{bytes / 1_000} kB",
        < 10_000_000_000 => $"{bytes / 1_000_000} MB",
        _ => $"{bytes / 1_000_000_000} GB",
    };

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The counts of shared objects, such as <c>2 sessions, 1 queue with 17 items</c>.</summary>
    public static string Objects(ServiceStatus status) =>
        $"{Counted(status.Sessions, "session")}, {Counted(status.Queues, "queue")} with {Counted(status.QueuedItems, "item")}";

    public static string Counted(long count, string what) => $"{Count(count)} {what}{(count == 1 ? "" : "s")}";

    /// <summary>Three significant digits, without an exponent.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        >= 99.95 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 9.995 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };

    /// <summary>The partial outputs of a task that this reader has missed.</summary>
    public static string Dropped(TaskEvent happened) =>
        $"{Count((long)happened.DroppedBefore)} partial outputs are missing here: they came faster than they were read, or before, and " +
        "only the newest are kept";

    public static string Progress(Progress progress)
    {
        var completed = progress.Completed.ToString("0.##", CultureInfo.InvariantCulture);
        var total = progress.Total > 0 ? " of " + progress.Total.ToString("0.##", CultureInfo.InvariantCulture) : "";
        return $"{completed}{total}{(progress.Message.Length > 0 ? ", " : "")}{progress.Message}";
    }

    /// <summary>Truncates text to this many characters, with an ellipsis.</summary>
    public static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length), "…");

    public static string FirstLine(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        return end < 0 ? text : text[..end];
    }

    // The preceding message names the worker and its signal or exit code.
    private static string Death(PostMortem death) =>
        $"pid {death.Pid}{(death.PeakRssBytes > 0 ? ", peak memory " + Bytes(death.PeakRssBytes) : "")}{(death.OutOfMemory
            ? ", out of memory" : "")}";

    /// <summary>The contract's name of a reason, such as <c>HANDLER_NOT_FOUND</c>.</summary>
    public static string Reason(ErrorReason reason) => string.Concat(
        reason.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString()));

    // "TimedOut" → "timed out".
    private static string Name(string pascal)
    {
        var words = string.Concat(pascal.Select((c, i) => i > 0 && char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c.ToString()));
        return words.ToLowerInvariant();
    }
}
