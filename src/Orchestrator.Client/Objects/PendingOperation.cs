using Grpc.Core;
using Orchestrator.Client.Connection;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>Is told that an operation has failed whose outcome is not awaited. Called on a thread of the pool.</summary>
internal interface IPostedOperation
{
    /// <summary>It has failed.</summary>
    void OnFailed(OrchestratorException error);
}

/// <summary>One operation that waits for its outcome.</summary>
/// <param name="operation">The operation.</param>
/// <param name="posted">Told of its failure if its outcome is not awaited; null if it is.</param>
internal sealed class PendingOperation(Operation operation, IPostedOperation? posted = null)
{
    // Bytes of an operation's id and its surrounding fields.
    private const int MessageOverhead = 64;

    // Measuring an operation costs half of what writing it costs; only operations that carry payloads or lists can be large.
    private const int UsualBytes = 64;

    private readonly TaskCompletionSource<Outcome>? _outcome = posted is null ? new() : null;

    public Operation Operation => operation;

    /// <summary>Its size in bytes: exact where it may be large.</summary>
    public int Bytes { get; } = Measure(operation);

    public bool IsCancelled { get; set; }

    /// <summary>Its outcome; only of one that was not posted.</summary>
    public Task<Outcome> Outcome => _outcome!.Task;

    /// <summary>
    /// Whether no code continues when the outcome comes: it was posted, or one that follows it is awaited instead, and its outcome is
    /// looked at then.
    /// </summary>
    public bool IsQuiet { get; init; } = posted is not null;

    /// <summary>Its outcome has come.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="inline">Whether the code that waits for it continues on this thread.</param>
    public void Complete(Outcome outcome, bool inline)
    {
        if (_outcome is null)
        {
            if (outcome.Error is { } error)
                Tell(RpcExceptionMapper.Map(error));
        }
        else if (inline || IsQuiet)
        {
            _outcome.TrySetResult(outcome);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static item => item.Source.TrySetResult(item.Outcome), (Source: _outcome, Outcome: outcome), preferLocal: false);
        }
    }

    public void Fail(OrchestratorException error)
    {
        if (_outcome is null)
        {
            Tell(Again(error));
            return;
        }

        if (IsQuiet)
        {
            _outcome.TrySetException(Again(error));
            // The one that follows it fails, too, and is awaited in its place.
            _ = _outcome.Task.Exception;
            return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(
            static item => item.Source.TrySetException(item.Error), (Source: _outcome, Error: Again(error)), preferLocal: false);
    }

    private void Tell(OrchestratorException error) => ThreadPool.UnsafeQueueUserWorkItem(
        static item => item.Posted.OnFailed(item.Error), (Posted: posted!, Error: error), preferLocal: false);

    // Each waiter throws its own exception: a shared object would carry the stack of the last throw.
    internal static OrchestratorException Again(OrchestratorException error) => error is CoordinatorUnavailableException
        ? new CoordinatorUnavailableException(error.Message, error)
        : RpcExceptionMapper.Map(error.Reason, error.StatusCode, error.Message, null, null, error);

    /// <summary>Throws if no message can hold the operation: the coordinator would end the whole stream.</summary>
    private static int Measure(Operation operation)
    {
        if (operation.RequestCase is not (Operation.RequestOneofCase.Put or Operation.RequestOneofCase.Send
            or Operation.RequestOneofCase.Settle
            or Operation.RequestOneofCase.UpdateDict or Operation.RequestOneofCase.ReadDict
            or Operation.RequestOneofCase.UpdateList or Operation.RequestOneofCase.UpdateArray))
            return UsualBytes;
        var bytes = operation.CalculateSize();
        if (bytes <= ProtocolConstants.LargestMessageBytes - MessageOverhead)
            return bytes;
        throw RpcExceptionMapper.Map(
            FailureReason.LimitExceeded,
            StatusCode.ResourceExhausted,
            $"the {operation.RequestCase} of {bytes:N0} bytes is larger than a message may be, which is " +
            $"{ProtocolConstants.LargestMessageBytes:N0}; send it in parts",
            null,
            null,
            null);
    }
}
