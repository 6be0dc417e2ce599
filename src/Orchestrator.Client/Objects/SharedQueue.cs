using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>A queue that is shared by every process that names it, and that somebody has created.</summary>
public sealed class SharedQueue
{
    private readonly ObjectSession _session;

    internal SharedQueue(ObjectSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Puts an item; waits while the queue is full.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more.</exception>
    public async Task PutAsync(Payload body, long priority = 0, CancellationToken cancellationToken = default)
    {
        if (!await PutAsync(body, priority, null, cancellationToken))
            throw new InvalidOperationException("a put without a timeout has timed out");
    }

    /// <summary>Puts an item, waiting for at most this long; false where the queue was full. Zero is one attempt.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more.</exception>
    public Task<bool> TryPutAsync(Payload body, TimeSpan timeout, long priority = 0, CancellationToken cancellationToken = default) =>
        PutAsync(body, priority, timeout, cancellationToken);

    /// <summary>Takes the next item for good, waiting for at most this long; null where there was none, or none will come any more.</summary>
    public async Task<Payload?> TryGetAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        (await GetAsync(false, null, timeout, cancellationToken))?.Body;

    /// <summary>Takes the next item for good, waiting for one; null where the queue is shut down and empty.</summary>
    public async Task<Payload?> GetAsync(CancellationToken cancellationToken = default) => (await GetAsync(false, null, null, cancellationToken))?.Body;

    /// <summary>Leases the next item, waiting for one; null where the queue is shut down and empty.</summary>
    /// <param name="lease">How long at most; null leases it as long as the session lives.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<LeasedItem?> LeaseAsync(TimeSpan? lease = null, CancellationToken cancellationToken = default) => LeaseAsync(lease, null, cancellationToken);

    /// <summary>As <see cref="LeaseAsync(TimeSpan?, CancellationToken)"/>, waiting for at most this long; null also where there was none.</summary>
    public Task<LeasedItem?> TryLeaseAsync(TimeSpan timeout, TimeSpan? lease = null, CancellationToken cancellationToken = default) =>
        LeaseAsync(lease, timeout, cancellationToken);

    /// <summary>Leased items as they come, until the queue is shut down and empty. Each is to be completed or disposed by who iterates.</summary>
    public async IAsyncEnumerable<LeasedItem> LeaseAllAsync(TimeSpan? lease = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await LeaseAsync(lease, null, cancellationToken) is { } item)
            yield return item;
    }

    /// <summary>Waits until every item that was put is done.</summary>
    public async Task JoinAsync(CancellationToken cancellationToken = default) => await JoinAsync(null, cancellationToken);

    /// <summary>As <see cref="JoinAsync(CancellationToken)"/> for at most this long; how many items are unfinished.</summary>
    public Task<long> TryJoinAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => JoinAsync(timeout, cancellationToken);

    internal async Task<bool> SettleAsync(ulong lease, Settlement settlement, TimeSpan? duration, string reason, CancellationToken cancellationToken)
    {
        var request = new SettleRequest { Queue = Name, LeaseIds = { lease }, Settlement = settlement, Reason = reason, SessionId = _session.RequestSession };
        if (duration is { } span)
            request.Duration = Duration.FromTimeSpan(span);
        return (await _session.SendAsync(new Operation { Settle = request }, cancellationToken)).Settle.Settled == 1;
    }

    internal bool IsSessionLost => _session.Lost.IsCancellationRequested;

    private async Task<bool> PutAsync(Payload body, long priority, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new PutRequest { Queue = Name, Items = { new QueueItem { Body = body, Priority = priority } }, SessionId = _session.RequestSession };
        if (timeout is { } limit)
            request.Timeout = Duration.FromTimeSpan(limit);
        var response = (await _session.SendAsync(new Operation { Put = request }, cancellationToken)).Put;
        return response.Status == WaitStatus.ShutDown
            ? throw new QueueShutDownException($"queue \"{Name}\" is shut down and takes no more", null)
            : response.Status == WaitStatus.Ok;
    }

    private async Task<LeasedItem?> LeaseAsync(TimeSpan? lease, TimeSpan? timeout, CancellationToken cancellationToken) =>
        await GetAsync(true, lease, timeout, cancellationToken) is { } item ? new LeasedItem(this, item) : null;

    private async Task<QueueItem?> GetAsync(bool leased, TimeSpan? lease, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new GetRequest { Queue = Name, Leased = leased, SessionId = _session.RequestSession };
        if (lease is { } span)
            request.Lease = Duration.FromTimeSpan(span);
        if (timeout is { } limit)
            request.Timeout = Duration.FromTimeSpan(limit);
        return (await _session.SendAsync(new Operation { Get = request }, cancellationToken)).Get.Items.SingleOrDefault();
    }

    private async Task<long> JoinAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new JoinRequest { Queue = Name };
        if (timeout is { } limit)
            request.Timeout = Duration.FromTimeSpan(limit);
        return (await _session.SendAsync(new Operation { Join = request }, cancellationToken)).Join.UnfinishedItems;
    }
}

/// <summary>An item that is this consumer's until it is settled. Completing it says that it is done; disposing it without that gives it back.</summary>
public sealed class LeasedItem : IAsyncDisposable
{
    private readonly SharedQueue _queue;
    private readonly QueueItem _item;
    private int _settled;

    internal LeasedItem(SharedQueue queue, QueueItem item) => (_queue, _item) = (queue, item);

    /// <summary>The payload.</summary>
    public Payload Body => _item.Body;

    /// <summary>As it was put.</summary>
    public long Priority => _item.Priority;

    /// <summary>The how-manieth delivery this is; 1 is the first.</summary>
    public int Delivery => _item.Delivery;

    /// <summary>It is done; false where the lease had ended before, and the item is somebody else's.</summary>
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
        catch (OrchestratorException exception) when (exception is SessionLostException || exception.Reason == ErrorReason.NotFound || _queue.IsSessionLost)
        {
            // It has gone back with the session, or away with the queue.
        }
    }

    private async Task<bool> SettleAsync(Settlement settlement, string reason, CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref _settled, 1) == 0 && await _queue.SettleAsync(_item.LeaseId, settlement, null, reason, cancellationToken);
}
