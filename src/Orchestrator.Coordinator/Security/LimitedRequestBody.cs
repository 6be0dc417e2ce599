using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Contracts;
using Orchestrator.Coordinator.Errors;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The body of one call as the reader of its messages sees it. A message that is not whole is looked at and left in place, and that is when its bytes are counted, see
/// <see cref="IncompleteMessageLimits"/>; one that arrives whole costs nothing.
/// </summary>
/// <param name="inner">The server's own reader.</param>
/// <param name="messages">Where incomplete messages are counted.</param>
/// <param name="memo">The connection.</param>
/// <param name="arrivalLimit">How long a message may take.</param>
/// <param name="isSingle">Whether the call has one request, which is awaited from the start; the next one of a stream may take as long as its client likes.</param>
internal sealed class LimitedRequestBody(PipeReader inner, IncompleteMessageLimits messages, ConnectionAuthenticationCache? memo, TimeSpan arrivalLimit, bool isSingle)
    : PipeReader, IRequestBodyPipeFeature, IDisposable
{
    private const int FrameHeadBytes = 5;

    private ReadResult _last;
    private long _held;
    private bool _isPartial = isSingle;
    private volatile bool _isLate;

    /// <summary>Since when it waits for the rest of a message.</summary>
    public long Since { get; private set; } = messages.Now;

    /// <summary>How long it may.</summary>
    public TimeSpan ArrivalLimit => arrivalLimit;

    PipeReader IRequestBodyPipeFeature.Reader => this;

    /// <summary>The rest did not come in time.</summary>
    public void EndLate()
    {
        _isLate = true;
        inner.CancelPendingRead();
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = inner.ReadAsync(cancellationToken);
        if (!read.IsCompletedSuccessfully)
            return WaitAsync(read);
        _last = read.Result;
        return ValueTask.FromResult(Checked());
    }

    public override bool TryRead(out ReadResult result)
    {
        var any = inner.TryRead(out result);
        _last = result;
        return any;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var buffer = _last.Buffer;
        _last = default;
        var left = buffer.Slice(consumed).Length;
        // Consuming nothing, after having looked at all of it, is how a reader says that the message is not whole.
        var isPartial = left > 0 && examined.Equals(buffer.End);
        if (isPartial && !_isPartial)
            Since = messages.Now;
        _isPartial = isPartial;
        var more = (isPartial ? left : 0) - _held;
        inner.AdvanceTo(consumed, examined);
        if (more == 0)
            return;
        messages.Hold(memo, more);
        _held += more;
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <summary>The call has ended.</summary>
    public void Dispose()
    {
        messages.Hold(memo, -_held);
        _held = 0;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
    {
        if (!_isPartial)
        {
            _last = await read;
            return Checked();
        }

        messages.Add(this);
        try
        {
            _last = await read;
        }
        finally
        {
            messages.Remove(this);
        }

        return Checked();
    }

    private ReadResult Checked()
    {
        if (_isLate)
        {
            throw RpcErrors.Create(
                V1.ErrorReason.LimitExceeded, $"the request did not arrive whole within {arrivalLimit.TotalSeconds:0} s (message_arrival); send it faster, or in smaller messages");
        }

        // A read begins where a message does: one byte that says whether it is packed, four of its length. The library below has no answer to lengths beyond an int's.
        if (_last.Buffer.Length >= FrameHeadBytes)
        {
            Span<byte> head = stackalloc byte[FrameHeadBytes];
            _last.Buffer.Slice(0, FrameHeadBytes).CopyTo(head);
            var length = BinaryPrimitives.ReadUInt32BigEndian(head[1..]);
            if (length > ProtocolConstants.MaxMessageBytes)
            {
                throw RpcErrors.Create(
                    V1.ErrorReason.LimitExceeded,
                    $"the request announces a message of {length:N0} bytes; a message may have {ProtocolConstants.MaxMessageBytes:N0} (message_bytes): send it in parts");
            }
        }

        return _last;
    }
}
