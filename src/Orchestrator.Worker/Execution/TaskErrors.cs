using Orchestrator.V1;
using Orchestrator.Worker.Payloads;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution;

/// <summary>The one place that converts exceptions to task errors.</summary>
internal static class TaskErrors
{
    private const int MaxMessage = 16 * 1024;

    public static TaskError From(TaskContext attempt, Exception exception)
    {
        // Task.Wait and Task.Result wrap the handler's actual exception.
        if (exception is AggregateException { InnerExceptions: [var only] })
            exception = only;
        return exception switch
        {
            InvalidInputException invalid => Error(ErrorReason.Invalid, invalid.Describe(attempt.Handler)),
            MalformedPayloadException malformed => Error(ErrorReason.Invalid, $"input of '{attempt.Handler}': {malformed.Message}"),
            PayloadTooLargeException tooLarge => Error(ErrorReason.LimitExceeded, tooLarge.Message),
            OperationCanceledException when attempt.Cause == CancelCause.Cancelled =>
                Cancelled(ErrorReason.Cancelled, "the task was cancelled while it ran", CancelRung.Cooperative),
            OperationCanceledException when attempt.Cause == CancelCause.RunTimeout =>
                Cancelled(
                    ErrorReason.RunTimeout,
                    $"the task ran longer than its run timeout of {attempt.Assignment.RunTimeout!.ToTimeSpan().TotalSeconds} s",
                    CancelRung.Cooperative),
            _ => Thrown(exception),
        };
    }

    public static TaskError BeforeStart() =>
        Cancelled(ErrorReason.Cancelled, "the task was cancelled before it started", CancelRung.BeforeStart);

    // The coordinator knows this worker's handlers from its Hello and refuses a misspelled name itself, with similar ones; this error means
    // that the peer disagrees with the Hello.
    public static TaskError UnknownHandler(string name) =>
        Error(ErrorReason.HandlerNotFound, $"this worker has no handler '{name}'");

    public static TaskError NoSuchSlot(uint slot, long slots) =>
        Error(ErrorReason.Invalid, $"the assignment names slot {slot}, but the flight recorder has {slots} slots");

    /// <summary>For an exception of the handler that cannot be described otherwise: only its type.</summary>
    public static TaskError Unreadable(Exception exception) => new()
    {
        Reason = ErrorReason.HandlerFailed,
        Type = ExceptionText.TypeOf(exception),
        Message = "(the exception cannot be read)",
    };

    private static TaskError Thrown(Exception exception) => new()
    {
        Reason = ErrorReason.HandlerFailed,
        Type = ExceptionText.TypeOf(exception),
        Message = ExceptionText.MessageOf(exception),
        StackTrace = ExceptionText.StackOf(exception),
    };

    private static TaskError Cancelled(ErrorReason reason, string message, CancelRung rung) =>
        new() { Reason = reason, Message = message, Rung = rung };

    private static TaskError Error(ErrorReason reason, string message) =>
        new() { Reason = reason, Message = ExceptionText.Clean(message, MaxMessage) };
}
