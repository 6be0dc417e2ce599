using System.Text.Json.Serialization.Metadata;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Results;

/// <summary>How a task ended, success and failure alike.</summary>
public sealed record RunResult
{
    private readonly ReadOnlyMemory<byte>? _output;

    /// <summary>The task's id; 0 if the coordinator refused it.</summary>
    public ulong TaskId { get; init; }

    /// <summary>The state in which it ended.</summary>
    public RunState State { get; init; }

    /// <summary>Why it did not succeed; null if it did.</summary>
    public RunError? Error { get; init; }

    /// <summary>The worker's name and incarnation, such as <c>worker-1#3</c>; empty if no worker ran it.</summary>
    public string Worker { get; init; } = "";

    /// <summary>The last attempt; 0 if there was none.</summary>
    public int Attempt { get; init; }

    /// <summary>The output: bytes as the handler returned them, or the UTF-8 of its JSON; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Output
    {
        get => _output ?? PayloadText.ToBytes(Payload);
        init => _output = value;
    }

    /// <summary>The output from its JSON, by generated code.</summary>
    /// <exception cref="System.Text.Json.JsonException">The output is no <typeparamref name="T"/>, or raw bytes.</exception>
    public T ReadOutput<T>(JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return PayloadJson.Decode(
            Payload ?? (_output is { } json ? PayloadText.FromJson(System.Text.Encoding.UTF8.GetString(json.Span)) : null), type);
    }

    internal Payload? Payload { get; private init; }

    internal static RunResult From(TaskResult result) => new()
    {
        TaskId = result.TaskId,
        State = (RunState)result.State,
        Error = result.Error is null ? null : RunError.From(result.Error),
        Worker = result.Worker,
        Attempt = result.Attempt,
        Payload = result.Output,
    };

    internal TaskResult ToMessage() => new()
    {
        TaskId = TaskId,
        State = (TaskState)State,
        Error = Error?.ToMessage(),
        Worker = Worker,
        Attempt = Attempt,
        Output = Payload ?? (_output is { } bytes ? PayloadText.FromBytes(bytes) : null),
    };
}

/// <summary>Why a task did not succeed.</summary>
public sealed record RunError
{
    /// <summary>The reason, as a stable name that code may switch on.</summary>
    public FailureReason Reason { get; init; }

    /// <summary>The exception's type in the handler's language; empty if no handler threw.</summary>
    public string Type { get; init; } = "";

    /// <summary>For people to read.</summary>
    public string Message { get; init; } = "";

    /// <summary>The stack trace in the worker; empty if no handler threw.</summary>
    public string StackTrace { get; init; } = "";

    /// <summary>The known facts about the death of the process; null unless the worker was lost.</summary>
    public WorkerPostMortem? PostMortem { get; init; }

    /// <summary>The stage of the cancellation escalation that ended the task.</summary>
    public CancelStage Rung { get; init; }

    internal static RunError From(TaskError error) => new()
    {
        Reason = (FailureReason)error.Reason,
        Type = error.Type,
        Message = error.Message,
        StackTrace = error.StackTrace,
        PostMortem = error.PostMortem is null ? null : WorkerPostMortem.From(error.PostMortem),
        Rung = (CancelStage)error.Rung,
    };

    internal TaskError ToMessage() => new()
    {
        Reason = (ErrorReason)Reason,
        Type = Type,
        Message = Message,
        StackTrace = StackTrace,
        Rung = (CancelRung)Rung,
        PostMortem = PostMortem?.ToMessage(),
    };
}
