using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// An item that is this consumer's until it is settled. Completing it says that it is done; disposing it without that gives it back to the front, so that a scope which is left by an
/// exception loses nothing.
/// </summary>
public sealed class LeasedItem : IAsyncDisposable
{
    private readonly SharedQueue _queue;
    private readonly QueueItem _item;
    private readonly QueueConsumer? _stream;
    private int _settled;

    internal LeasedItem(SharedQueue queue, QueueItem item, QueueConsumer? stream = null) => (_queue, _item, _stream) = (queue, item, stream);

    /// <summary>The payload.</summary>
    public Payload Body => _item.Body;

    /// <summary>As it was put.</summary>
    public long Priority => _item.Priority;

    /// <summary>The how-manieth delivery this is; 1 is the first.</summary>
    public int DeliveryCount => _item.Delivery;

    /// <summary>Where it was put first, and why it is here; null unless this queue holds dead letters.</summary>
    public DeadLetter? DeadLetter => _item.DeadLetter;

    /// <summary>
    /// It is done; false where it was settled before, or its lease had ended and the item is somebody else's. An item of
    /// <see cref="SharedQueue.LeaseAllAsync"/> is settled with the next message of its stream without waiting for an answer, so that true says only that this is under way.
    /// </summary>
    public Task<bool> CompleteAsync(CancellationToken cancellationToken = default) => SettleAsync(Settlement.Done, "", cancellationToken);

    /// <summary>It can never be done: to the dead-letter queue with it. False where the lease had ended before.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<bool> RejectAsync(string reason, CancellationToken cancellationToken = default) => SettleAsync(Settlement.Reject, reason, cancellationToken);

    /// <summary>The lease ends so long from now; false where it had ended before.</summary>
    public Task<bool> ExtendAsync(TimeSpan lease, CancellationToken cancellationToken = default) =>
        _queue.SettleAsync(_item.LeaseId, Settlement.Extend, lease, "", cancellationToken);

    /// <summary>Gives the item back to the front, unless it was settled.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await SettleAsync(Settlement.Return, "", CancellationToken.None);
        }
        catch (OrchestratorException exception) when (exception is SessionLostException || exception.Reason == ErrorReason.NotFound || _queue.HasSessionEnded)
        {
            // It has gone back with the session, or away with the queue.
        }
    }

    private async Task<bool> SettleAsync(Settlement settlement, string reason, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0)
            return false;
        if (_stream is null)
            return await _queue.SettleAsync(_item.LeaseId, settlement, null, reason, cancellationToken);
        if (settlement != Settlement.Reject)
        {
            _stream.Settle(_item.LeaseId, settlement == Settlement.Done);
            return true;
        }

        var rejected = await _queue.SettleAsync(_item.LeaseId, settlement, null, reason, cancellationToken);
        // Stale by now: it only makes room for the next one.
        _stream.Settle(_item.LeaseId, done: true);
        return rejected;
    }
}
