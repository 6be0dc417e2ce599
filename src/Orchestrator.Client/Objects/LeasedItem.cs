using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// An item leased to this consumer until it is settled. Completing it marks it done; disposing it uncompleted returns it to the front of
/// the queue, so a scope left by an exception loses nothing.
/// </summary>
/// <typeparam name="T">The item.</typeparam>
public class LeasedItem<T> : IAsyncDisposable
{
    private readonly SharedQueue<T> _queue;
    private readonly QueueItem _item;
    private readonly QueueConsumer<T>? _stream;
    private T? _body;
    private bool _isDecoded;
    private int _settled;

    internal LeasedItem(SharedQueue<T> queue, QueueItem item, QueueConsumer<T>? stream = null) =>
        (_queue, _item, _stream) = (queue, item, stream);

    /// <summary>For a fake: override what settles the item; the other members throw <see cref="NotSupportedException"/>.</summary>
    /// <param name="body">The item.</param>
    /// <param name="priority">Its priority.</param>
    /// <param name="deliveryCount">The delivery count, including this one.</param>
    protected LeasedItem(T body, long priority = 0, int deliveryCount = 1)
        : this(null!, new QueueItem { Priority = priority, Delivery = deliveryCount }) => (_body, _isDecoded) = (body, true);

    /// <summary>The item.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is no <typeparamref name="T"/>; the message names queue and field.</exception>
    public T Body
    {
        get
        {
            if (!_isDecoded)
                (_body, _isDecoded) = (_queue.Decode(_item.Body), true);
            return _body!;
        }
    }

    /// <summary>The priority given when the item was put.</summary>
    public long Priority => _item.Priority;

    /// <summary>The delivery count, including this one; 1 is the first.</summary>
    public int DeliveryCount => _item.Delivery;

    /// <summary>The original queue and the reason for dead-lettering; null unless this queue holds dead letters.</summary>
    public DeadLetterOrigin? DeadLetter => _item.DeadLetter is { } letter
        ? new DeadLetterOrigin(letter.Queue, letter.Sequence, letter.Deliveries, letter.Reason)
        : null;

    /// <summary>
    /// Marks the item done; false if it was settled before, or its lease had ended and another consumer may have it. An item of
    /// <see cref="SharedQueue{T}.LeaseAllAsync"/> is settled with the next message of its stream, without an acknowledgement: true only
    /// means that this is under way.
    /// </summary>
    public virtual Task<bool> CompleteAsync(CancellationToken cancellationToken = default) =>
        Real().SettleAsync(Settlement.Done, "", cancellationToken);

    /// <summary>Rejects the item for good: it moves to the dead-letter queue. False if the lease had ended before.</summary>
    /// <param name="reason">The reason, for people to read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public virtual Task<bool> RejectAsync(string reason, CancellationToken cancellationToken = default) =>
        Real().SettleAsync(Settlement.Reject, reason, cancellationToken);

    /// <summary>Extends the lease to end this long from now; false if it had ended before.</summary>
    public virtual Task<bool> ExtendAsync(TimeSpan lease, CancellationToken cancellationToken = default) =>
        Real()._queue.SettleAsync(_item.LeaseId, Settlement.Extend, lease, "", cancellationToken);

    /// <summary>Returns the item to the front of the queue, unless it was settled.</summary>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // A fake has no queue.
        if (_queue is null)
            return;
        try
        {
            await SettleAsync(Settlement.Return, "", CancellationToken.None).ConfigureAwait(false);
        }
        catch (OrchestratorException exception)
            when (exception is SessionLostException || exception.Reason == FailureReason.NotFound || _queue.HasSessionEnded)
        {
            // The item was returned when the session ended, or deleted with the queue.
        }
    }

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private LeasedItem<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_queue, this, member);
        return this;
    }

    private async Task<bool> SettleAsync(Settlement settlement, string reason, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
            return false;
        if (_stream is null)
            return await _queue.SettleAsync(_item.LeaseId, settlement, null, reason, cancellationToken).ConfigureAwait(false);
        if (settlement != Settlement.Reject)
        {
            _stream.Settle(_item.LeaseId, settlement == Settlement.Done);
            return true;
        }

        var rejected = await _queue.SettleAsync(_item.LeaseId, settlement, null, reason, cancellationToken).ConfigureAwait(false);
        // The lease is stale by now; settling it only makes room for the next item.
        _stream.Settle(_item.LeaseId, done: true);
        return rejected;
    }
}

/// <summary>Where a dead letter comes from.</summary>
/// <param name="Queue">The queue that it was in.</param>
/// <param name="Sequence">Its number there.</param>
/// <param name="Deliveries">How often it was delivered.</param>
/// <param name="Reason">Why it was dead-lettered, for people.</param>
public sealed record DeadLetterOrigin(string Queue, ulong Sequence, int Deliveries, string Reason);
