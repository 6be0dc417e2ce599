using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Results;

/// <summary>One event of a task; exactly one of its contents is set, or none in an event that only reports what is missing.</summary>
public sealed record TaskUpdate
{
    /// <summary>The position among the task's events.</summary>
    public ulong Sequence { get; init; }

    /// <summary>When it happened.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The number of partial outputs that are missing before this event.</summary>
    public ulong DroppedBefore { get; init; }

    /// <summary>The state that the task has reached.</summary>
    public RunState? State { get; init; }

    /// <summary>A progress report.</summary>
    public TaskProgress? Progress { get; init; }

    /// <summary>A partial output: its bytes, or the UTF-8 of its JSON.</summary>
    public ReadOnlyMemory<byte>? PartialOutput { get; init; }

    /// <summary>A log line.</summary>
    public TaskLogLine? Log { get; init; }

    /// <summary>The result, with the last event.</summary>
    public RunResult? Result { get; init; }

    internal static TaskUpdate From(TaskEvent message) => new()
    {
        Sequence = message.Sequence,
        At = message.At?.ToDateTimeOffset() ?? default,
        DroppedBefore = message.DroppedBefore,
        State = message.EventCase == TaskEvent.EventOneofCase.State ? (RunState)message.State : null,
        Progress = message.Progress is null ? null : TaskProgress.From(message.Progress),
        PartialOutput = message.PartialOutput is null ? null : PayloadText.ToBytes(message.PartialOutput),
        Log = message.Log is null ? null : TaskLogLine.From(message.Log),
        Result = message.Result is null ? null : RunResult.From(message.Result),
    };
}

/// <summary>A progress report.</summary>
/// <param name="Completed">What is done, in the handler's unit.</param>
/// <param name="Total">What there is to do, in the same unit; 0 if unknown.</param>
/// <param name="Message">For people.</param>
public sealed record TaskProgress(double Completed, double Total, string Message)
{
    internal static TaskProgress From(Progress message) => new(message.Completed, message.Total, message.Message);
}

/// <summary>A line of a task's log.</summary>
/// <param name="Level">Such as <c>information</c> or <c>warning</c>.</param>
/// <param name="Message">The text.</param>
public sealed record TaskLogLine(string Level, string Message)
{
    internal static TaskLogLine From(LogLine message) => new(message.Level, message.Message);
}
