using System.Runtime.CompilerServices;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>An existing queue, shared by every process that names it.</summary>
/// <typeparam name="T">The items. Take a nullable type, such as <c>int?</c>, for a value type whose default is an item, too.</typeparam>
public class SharedQueue<T>
{
    private readonly CoordinationSession _session;
    private readonly ValueCodec<T> _codec;

    internal SharedQueue(CoordinationSession session, string name, ValueCodec<T> codec) =>
        (_session, Name, _codec) = (session, name, codec);

    /// <summary>For a fake: override what the program uses; the other members throw <see cref="NotSupportedException"/>.</summary>
    protected SharedQueue(string name)
        : this(null!, name, null!)
    {
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Puts an item; waits while the queue is full.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more.</exception>
    public virtual async Task PutAsync(T body, long priority = 0, CancellationToken cancellationToken = default)
    {
        if (!await Real().PutAsync(body, priority, null, cancellationToken).ConfigureAwait(false))
            throw new InvalidOperationException("a put without a timeout has timed out");
    }

    /// <summary>Puts items in their order, in as few messages as they fit in; waits while the queue is full.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more items; those before are in it.</exception>
    /// <exception cref="OperationCanceledException">The put was cancelled; the items before are in the queue.</exception>
    public virtual async Task PutAllAsync(IEnumerable<T> bodies, long priority = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(bodies);
        Real();
        var items = new List<QueueItem>();
        var bytes = 0;
        foreach (var item in bodies)
        {
            var body = _codec.Encode(item);
            var size = body.CalculateSize();
            // An item that is too large is refused alone, without the items before it.
            if (items.Count == ProtocolConstants.MaxItemsPerMessage
                || (items.Count > 0 && bytes + size > ProtocolConstants.TargetMessageBytes))
                // The caller's sequence goes on in the caller's context.
                await PutThoseAsync().ConfigureAwait(true);
            items.Add(new QueueItem { Body = body, Priority = priority });
            bytes += size;
        }

        if (items.Count > 0)
            await PutThoseAsync().ConfigureAwait(false);

        async Task PutThoseAsync()
        {
            // A put cancelled after some of its items were added has the outcome of a timeout.
            if (!await PutAsync(items, null, cancellationToken).ConfigureAwait(false))
                throw new OperationCanceledException(
                    $"the put was cancelled when some of {items.Count} items were in the queue \"{Name}\"", cancellationToken);
            items.Clear();
            bytes = 0;
        }
    }

    /// <summary>Puts an item, waiting for at most this long; false if the queue was full. Zero makes one attempt.</summary>
    /// <exception cref="QueueShutDownException">The queue takes no more.</exception>
    public virtual Task<bool> TryPutAsync(T body, TimeSpan timeout, long priority = 0, CancellationToken cancellationToken = default) =>
        Real().PutAsync(body, priority, timeout, cancellationToken);

    /// <summary>
    /// Removes the next item, waiting for at most this long; null if there was none, or the queue is shut down and empty.
    /// </summary>
    public virtual async Task<T?> TryGetAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        DecodeOrDefault(await Real().GetAsync(false, null, timeout, cancellationToken).ConfigureAwait(false));

    /// <summary>Marks items taken by a get as done, for joiners; returns the number of unfinished items.</summary>
    /// <exception cref="OrchestratorException">With OVER_RELEASED, if fewer items are unfinished.</exception>
    public virtual async Task<long> MarkDoneAsync(int count = 1, CancellationToken cancellationToken = default) =>
        (await Real()._session.Services.Errors.CallAsync(_session.Services.Queues.MarkDoneAsync(
            new MarkDoneRequest { Queue = Name, Count = count }, cancellationToken: cancellationToken))
                .ConfigureAwait(false)).UnfinishedItems;

    /// <summary>Waits for and removes the next item; null if the queue is shut down and empty.</summary>
    public virtual async Task<T?> GetAsync(CancellationToken cancellationToken = default) =>
        DecodeOrDefault(await Real().GetAsync(false, null, null, cancellationToken).ConfigureAwait(false));

    /// <summary>Waits for and leases the next item; null if the queue is shut down and empty.</summary>
    /// <param name="lease">The longest duration of the lease; null for the life of the session.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public virtual Task<LeasedItem<T>?> LeaseAsync(TimeSpan? lease = null, CancellationToken cancellationToken = default) =>
        Real().LeaseAsync(lease, null, cancellationToken);

    /// <summary>
    /// As <see cref="LeaseAsync(TimeSpan?, CancellationToken)"/>, waiting for at most this long; also null if there was none.
    /// </summary>
    public virtual Task<LeasedItem<T>?> TryLeaseAsync(
        TimeSpan timeout, TimeSpan? lease = null, CancellationToken cancellationToken = default) =>
        Real().LeaseAsync(lease, timeout, cancellationToken);

    /// <summary>
    /// Leased items as they arrive, over a dedicated stream, until the queue is shut down and empty. The caller completes or disposes each
    /// item; items that are neither when the iteration ends are returned to the queue.
    /// </summary>
    /// <param name="lease">The longest duration of each lease; null for the life of the session.</param>
    /// <param name="prefetch">The number of leased, unsettled items at most, 1 or more: those being processed and those prefetched.</param>
    /// <param name="cancellationToken">Ends the iteration.</param>
    /// <exception cref="SessionLostException">The session has ended.</exception>
    public virtual async IAsyncEnumerable<LeasedItem<T>> LeaseAllAsync(
        TimeSpan? lease = null, int prefetch = 64, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var consumer = new QueueConsumer<T>(Real(), _session, lease, prefetch, endsWithItsLoop: true);
        await using var disposing = consumer.ConfigureAwait(false);
        await foreach (var item in consumer.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            yield return item;
    }

    /// <summary>The stream of <see cref="LeaseAllAsync"/>, for callers that settle items after the iteration.</summary>
    /// <param name="lease">The longest duration of each lease; null for the life of the session.</param>
    /// <param name="prefetch">The number of leased, unsettled items at most, 1 or more: those being processed and those prefetched.</param>
    public virtual QueueConsumer<T> OpenConsumer(TimeSpan? lease = null, int prefetch = 64) => new(Real(), _session, lease, prefetch);

    /// <summary>Waits until every item that was put is done.</summary>
    public virtual async Task JoinAsync(CancellationToken cancellationToken = default) =>
        await Real().JoinAsync(null, cancellationToken).ConfigureAwait(false);

    /// <summary>As <see cref="JoinAsync(CancellationToken)"/> for at most this long; returns the number of unfinished items.</summary>
    public virtual Task<long> TryJoinAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        Real().JoinAsync(timeout, cancellationToken);

    /// <summary>This object; not a fake, which must override the member that is called.</summary>
    private SharedQueue<T> Real([CallerMemberName] string member = "")
    {
        FakeMember.ThrowIfNull(_session, this, member);
        return this;
    }

    internal async Task<bool> SettleAsync(
        ulong lease, Settlement settlement, TimeSpan? duration, string reason, CancellationToken cancellationToken)
    {
        var request = new SettleRequest
        {
            Queue = Name,
            LeaseIds = { lease },
            Settlement = settlement,
            Reason = reason,
            SessionId = _session.RequestSession
        };
        if (duration is { } span)
            request.Duration = TimeLimits.Finite(
                span, "an extended lease has an end; give its duration from now, or lease without a duration", "lease");
        return (await _session.SendAsync(new Operation { Settle = request }, cancellationToken).ConfigureAwait(false)).Settle.Settled == 1;
    }

    internal T Decode(Payload body) => _codec.Decode(body, "queue", Name);

    internal bool HasSessionEnded => _session.HasEnded;

    private T? DecodeOrDefault(QueueItem? item) => item is null ? default : Decode(item.Body);

    private Task<bool> PutAsync(T body, long priority, TimeSpan? timeout, CancellationToken cancellationToken) =>
        PutAsync([new QueueItem { Body = _codec.Encode(body), Priority = priority }], timeout, cancellationToken);

    private async Task<bool> PutAsync(IReadOnlyList<QueueItem> items, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new PutRequest { Queue = Name, Items = { items }, SessionId = _session.RequestSession };
        request.Timeout = TimeLimits.OrNone(timeout);
        var response = (await _session.SendAsync(new Operation { Put = request }, cancellationToken).ConfigureAwait(false)).Put;
        return response.Status == WaitStatus.ShutDown
            ? throw new QueueShutDownException($"queue \"{Name}\" is shut down and takes no more", null)
            : response.Status == WaitStatus.Ok;
    }

    private async Task<LeasedItem<T>?> LeaseAsync(TimeSpan? lease, TimeSpan? timeout, CancellationToken cancellationToken) =>
        await GetAsync(true, lease, timeout, cancellationToken).ConfigureAwait(false) is { } item ? new LeasedItem<T>(this, item) : null;

    private async Task<QueueItem?> GetAsync(bool leased, TimeSpan? lease, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new GetRequest { Queue = Name, Leased = leased, SessionId = _session.RequestSession };
        request.Lease = TimeLimits.OrNone(lease);
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { Get = request }, cancellationToken)
            .ConfigureAwait(false)).Get.Items.SingleOrDefault();
    }

    private async Task<long> JoinAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var request = new JoinRequest { Queue = Name };
        request.Timeout = TimeLimits.OrNone(timeout);
        return (await _session.SendAsync(new Operation { Join = request }, cancellationToken).ConfigureAwait(false)).Join.UnfinishedItems;
    }
}
