namespace Orchestrator.Core.TaskModel;

/// <summary>Why a task did not succeed.</summary>
/// <param name="Reason">The reason, stable for programs.</param>
/// <param name="Message">What happened, for people.</param>
public sealed record TaskFailure(FailureReason Reason, string Message)
{
    /// <summary>Its size in bytes.</summary>
    internal int Bytes => 120 + (sizeof(char) * (Message.Length + Type.Length + StackTrace.Length))
        + (PostMortem is { } death ? 200 + (sizeof(char) * death.LastStandardErrorLines.Sum(line => line.Length + 16)) : 0);

    /// <summary>For a limit: the client that reached its own limit; empty where the limit applies to all clients.</summary>
    public string Subject { get; init; } = "";

    /// <summary>For a limit: its name in ListLimits, such as <c>tasks</c>; otherwise empty.</summary>
    public string Limit { get; init; } = "";

    /// <summary>The remote exception's type, as its language names it.</summary>
    public string Type { get; init; } = "";

    /// <summary>The remote stack trace.</summary>
    public string StackTrace { get; init; } = "";

    /// <summary>The known facts about the worker that died, if one did.</summary>
    public WorkerPostMortem? PostMortem { get; init; }

    /// <summary>The step of the cancellation escalation that ended the task.</summary>
    public CancelRung Rung { get; init; }
}

/// <summary>The known facts about a worker process that died.</summary>
/// <param name="Worker">Its name and incarnation, such as <c>worker-1#3</c>.</param>
/// <param name="ProcessId">Its process id.</param>
/// <param name="ExitCode">Its exit code, if it exited by itself.</param>
/// <param name="Signal">The signal that ended it, such as <c>SIGKILL (9)</c>, if one did.</param>
/// <param name="OutOfMemory">Whether the kernel's or the runtime's out-of-memory handling ended it.</param>
/// <param name="PeakRssBytes">Its peak resident memory in bytes, as the kernel accounted it.</param>
/// <param name="CpuTime">Processor time that it used.</param>
/// <param name="LastStandardErrorLines">The end of its standard output and error; for a report of its own death the beginning, too.</param>
public sealed record WorkerPostMortem(
    string Worker,
    int ProcessId,
    int? ExitCode,
    string Signal,
    bool OutOfMemory,
    long PeakRssBytes,
    TimeSpan CpuTime,
    IReadOnlyList<string> LastStandardErrorLines)
{
    private const string FailFastFrame = "at System.Environment.FailFast";

    /// <summary>Why its supervisor killed it, if it did, such as <c>it sent no heartbeat for 5.2 s</c>.</summary>
    public string KilledFor { get; init; } = "";

    /// <summary>The cause with the reason for a kill.</summary>
    public string FullCause => KilledFor.Length == 0 ? Cause : $"{Cause}: {KilledFor}";

    /// <summary>
    /// Whether its last lines report its own death; their beginning is the most informative part: type, message, first frames.
    /// </summary>
    public bool BeginsWithReport { get; init; }

    /// <summary>The most informative part of its last lines, on one line.</summary>
    public string LastWords => string.Join(
        " | ",
        (BeginsWithReport
            ? LastStandardErrorLines.Where(line => !line.Contains(FailFastFrame, StringComparison.Ordinal)).Take(5)
            : LastStandardErrorLines.TakeLast(3)).Select(line => line.Trim()));

    /// <summary>The cause in a few words, such as <c>killed by SIGKILL (9)</c> or <c>exited with code 42</c>.</summary>
    public string Cause => this switch
    {
        { OutOfMemory: true, Signal: "" } => $"ran out of memory (exit code {ExitCode})",
        { Signal: not "" } => $"was killed by {Signal}",
        { ExitCode: int code } => $"exited with code {code}",
        _ => "ended for an unknown reason",
    };
}
