using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Coordinator.Mapping;

namespace Orchestrator.Coordinator.Security;

/// <summary>
/// The body of one call as its message reader sees it. The reader examines an incomplete message without consuming it; its bytes are
/// counted then, see <see cref="IncompleteMessageLimits"/>. A message that arrives whole costs nothing.
/// </summary>
/// <param name="inner">The server's own reader.</param>
/// <param name="messages">Counts incomplete messages.</param>
/// <param name="cache">The connection's cache.</param>
/// <param name="arrivalLimit">How long a message may take.</param>
/// <param name="isSingle">Whether the call has a single request, which must arrive from the start; a stream's next message may begin at any
/// time.</param>
internal sealed class LimitedRequestBody(
    PipeReader inner, IncompleteMessageLimits messages, ConnectionAuthenticationCache? cache, TimeSpan arrivalLimit, bool isSingle)
    : PipeReader, IRequestBodyPipeFeature, IIncompleteMessage, IDisposable
{
    private const int FrameHeadBytes = 5;

    private ReadResult _last;
    private long _held;
    private bool _isPartial = isSingle;
    private volatile bool _isLate;

    /// <summary>When the wait for the rest of a message began.</summary>
    public long Since { get; private set; } = messages.Now;

    /// <summary>The limit of that wait.</summary>
    public TimeSpan ArrivalLimit => arrivalLimit;

    PipeReader IRequestBodyPipeFeature.Reader => this;

    /// <summary>The rest did not arrive in time.</summary>
    public void EndLate()
    {
        _isLate = true;
        try
        {
            inner.CancelPendingRead();
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The server throws if the client has left at this very moment; the read ends by that.
        }
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
        // A reader signals an incomplete message by examining everything and consuming nothing.
        var isPartial = left > 0 && examined.Equals(buffer.End);
        if (isPartial && !_isPartial)
            Since = messages.Now;
        _isPartial = isPartial;
        var more = (isPartial ? left : 0) - _held;
        inner.AdvanceTo(consumed, examined);
        if (more == 0)
            return;
        messages.Hold(cache, more);
        _held += more;
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <summary>The call has ended.</summary>
    public void Dispose()
    {
        messages.Hold(cache, -_held);
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
                V1.ErrorReason.LimitExceeded,
                $"the request did not arrive whole within {arrivalLimit.TotalSeconds:0} s (message_arrival); send it faster, or in " +
                "smaller messages");
        }

        // A read begins where a message does: one byte for compression, four for the length. The gRPC library does not handle lengths
        // beyond int.
        if (_last.Buffer.Length >= FrameHeadBytes)
        {
            Span<byte> head = stackalloc byte[FrameHeadBytes];
            _last.Buffer.Slice(0, FrameHeadBytes).CopyTo(head);
            var length = BinaryPrimitives.ReadUInt32BigEndian(head[1..]);
            if (length > messages.MessageBytes)
                throw messages.TooLarge(length);
        }

        return _last;
    }
}
