using System.Runtime.CompilerServices;
using Orchestrator.Contracts;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>A queue that is shared by every process that names it, and that somebody has created.</summary>
public sealed class SharedQueue
{
    private readonly CoordinationSession _session;

    internal SharedQueue(CoordinationSession session, string name) => (_session, Name) = (session, name);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Puts an item; waits while the queue is full.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more.</exception>
    public async Task PutAsync(Payload body, long priority = 0, CancellationToken cancellationToken = default)
    {
        if (!await PutAsync(body, priority, null, cancellationToken))
            throw new InvalidOperationException("a put without a timeout has timed out");
    }

    /// <summary>Puts items in their order, in as few messages as they fit in; waits while the queue is full.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more; what came before is in it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; what came before is in the queue.</exception>
    public async Task PutAllAsync(IEnumerable<Payload> bodies, long priority = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(bodies);
        var items = new List<QueueItem>();
        var bytes = 0;
        foreach (var body in bodies)
        {
            var size = body.CalculateSize();
            // One that is too large is refused alone, and not with all that come before it.
            if (items.Count == ProtocolConstants.MaxItemsPerMessage || (items.Count > 0 && bytes + size > ProtocolConstants.TargetMessageBytes))
                await PutThoseAsync();
            items.Add(new QueueItem { Body = body, Priority = priority });
            bytes += size;
        }

        if (items.Count > 0)
            await PutThoseAsync();

        async Task PutThoseAsync()
        {
            // Cancelled when some of them were in, it has an outcome like that of a timeout.
            if (!await PutAsync(items, null, cancellationToken))
                throw new OperationCanceledException($"the put was cancelled when some of {items.Count} items were in the queue \"{Name}\"", cancellationToken);
            items.Clear();
            bytes = 0;
        }
    }

    /// <summary>Puts an item, waiting for at most this long; false where the queue was full. Zero is one attempt.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more.</exception>
    public Task<bool> TryPutAsync(Payload body, TimeSpan timeout, long priority = 0, CancellationToken cancellationToken = default) =>
        PutAsync(body, priority, timeout, cancellationToken);

    /// <summary>Takes the next item for good, waiting for at most this long; null where there was none, or none will come any more.</summary>
    public async Task<Payload?> TryGetAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        (await GetAsync(false, null, timeout, cancellationToken))?.Body;

    /// <summary>Says of items that were taken for good that they are done, for those who join; how many are unfinished.</summary>
    /// <exception cref="OrchestratorException">With OVER_RELEASED, where fewer are unfinished.</exception>
    public async Task<long> MarkDoneAsync(int count = 1, CancellationToken cancellationToken = default) =>
        (await _session.Services.Errors.CallAsync(_session.Services.Queues.MarkDoneAsync(
            new MarkDoneRequest { Queue = Name, Count = count }, cancellationToken: cancellationToken))).UnfinishedItems;

    /// <summary>Takes the next item for good, waiting for one; null where the queue is shut down and empty.</summary>
    public async Task<Payload?> GetAsync(CancellationToken cancellationToken = default) => (await GetAsync(false, null, null, cancellationToken))?.Body;

    /// <summary>Leases the next item, waiting for one; null where the queue is shut down and empty.</summary>
    /// <param name="lease">How long at most; null leases it as long as the session lives.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task<LeasedItem?> LeaseAsync(TimeSpan? lease = null, CancellationToken cancellationToken = default) => LeaseAsync(lease, null, cancellationToken);

    /// <summary>As <see cref="LeaseAsync(TimeSpan?, CancellationToken)"/>, waiting for at most this long; null also where there was none.</summary>
    public Task<LeasedItem?> TryLeaseAsync(TimeSpan timeout, TimeSpan? lease = null, CancellationToken cancellationToken = default) =>
        LeaseAsync(lease, timeout, cancellationToken);

    /// <summary>
    /// Leased items as they come, over a stream of their own, until the queue is shut down and empty. Each is to be completed or disposed by who iterates; when the
    /// iteration ends, whatever is neither goes back.
    /// </summary>
    /// <param name="lease">How long each is leased at most; null leases it as long as the session lives.</param>
    /// <param name="prefetch">How many may be leased and not yet settled, 1 or more: those in hand and those that have come ahead.</param>
    /// <param name="cancellationToken">Ends the iteration.</param>
    /// <exception cref="SessionLostException">The session has ended.</exception>
    public async IAsyncEnumerable<LeasedItem> LeaseAllAsync(
        TimeSpan? lease = null, int prefetch = 64, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var consumer = new QueueConsumer(this, _session, lease, prefetch, endsWithItsLoop: true);
        await foreach (var item in consumer.ReadAllAsync(cancellationToken))
            yield return item;
    }

    /// <summary>The stream of <see cref="LeaseAllAsync"/>, for whoever settles items after the iteration.</summary>
    /// <param name="lease">How long each is leased at most; null leases it as long as the session lives.</param>
    /// <param name="prefetch">How many may be leased and not yet settled, 1 or more: those in hand and those that have come ahead.</param>
    public QueueConsumer OpenConsumer(TimeSpan? lease = null, int prefetch = 64) => new(this, _session, lease, prefetch);

    /// <summary>Waits until every item that was put is done.</summary>
    public async Task JoinAsync(CancellationToken cancellationToken = default) => await JoinAsync(null, cancellationToken);

    /// <summary>As <see cref="JoinAsync(CancellationToken)"/> for at most this long; how many items are unfinished.</summary>
    public Task<long> TryJoinAsync(TimeSpan timeout, CancellationToken cancellationToken = default) => JoinAsync(timeout, cancellationToken);

    internal async Task<bool> SettleAsync(ulong lease, Settlement settlement, TimeSpan? duration, string reason, CancellationToken cancellationToken)
    {
        var request = new SettleRequest { Queue = Name, LeaseIds = { lease }, Settlement = settlement, Reason = reason, SessionId = _session.RequestSession };
        if (duration is { } span)
            request.Duration = TimeLimits.Finite(span, "a lease that is extended ends; name how long from now, or lease without a time", "lease");
        return (await _session.SendAsync(new Operation { Settle = request }, cancellationToken)).Settle.Settled == 1;
    }

    internal bool HasSessionEnded => _session.HasEnded;

    private Task<bool> PutAsync(Payload body, long priority, TimeSpan? timeout, CancellationToken cancellationToken) =>
        PutAsync([new QueueItem { Body = body, Priority = priority }], timeout, cancellationToken);

    private async Task<bool> PutAsync(IReadOnlyList<QueueItem> items, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new PutRequest { Queue = Name, Items = { items }, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
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
        request.Lease = TimeLimits.OrNone(lease);
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { Get = request }, cancellationToken)).Get.Items.SingleOrDefault();
    }

    private async Task<long> JoinAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new JoinRequest { Queue = Name };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { Join = request }, cancellationToken)).Join.UnfinishedItems;
    }
}
