namespace Orchestrator.Core.TaskModel;

/// <summary>One task to accept.</summary>
/// <param name="Handler">The name of the handler.</param>
/// <param name="Policy">Its options.</param>
/// <param name="Input">Opaque to the engine.</param>
/// <param name="InputBytes">The size of the input.</param>
/// <param name="Tag">Chosen by the submitter.</param>
/// <param name="RequestId">Idempotency key; empty is none.</param>
public readonly record struct TaskSubmission(
    string Handler, TaskPolicy Policy, object? Input, int InputBytes, ulong Tag = 0, string RequestId = "")
{
    /// <summary>W3C trace context, opaque to the engine; null without one.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Its size beyond its input and a plain record, in bytes.</summary>
    internal int ExtraBytes => Policy.KeptBytes + (sizeof(char) * (RequestId.Length + (TraceParent?.Length ?? 0)));

    /// <summary>Its size beyond a plain record, in bytes.</summary>
    internal long KeptBytes => InputBytes + (long)ExtraBytes;
}

/// <summary>The result of one submission: the task, or why it was refused.</summary>
/// <param name="Task">The accepted task, or the one that it joined by its request id.</param>
/// <param name="Refusal">Why it was not accepted.</param>
/// <param name="Tag">The submission's tag.</param>
public readonly record struct SubmitOutcome(TaskRecord? Task, TaskFailure? Refusal, ulong Tag);
