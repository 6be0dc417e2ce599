using System.Runtime.CompilerServices;
using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>
/// One Consume stream: items are prefetched as far as credits allow, and settlements go with the next message. Nothing waits for an answer,
/// so a loop over small items is not a loop over round trips. Disposing the consumer returns unsettled items to the queue.
/// </summary>
/// <remarks>Thread-safe, except that only one reader may read at a time.</remarks>
/// <typeparam name="T">The items.</typeparam>
public class QueueConsumer<T> : IAsyncDisposable
{
    // Time for the coordinator to take the last settlements; after that they count as lost with the stream.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(10);

    // Null in a fake, as all that belongs to its call.
    private readonly SharedQueue<T> _queue = null!;
    private readonly CoordinationSession _session = null!;
    private readonly CancellationTokenSource _ending = null!;
    private readonly AsyncDuplexStreamingCall<ConsumeRequest, ConsumeResponse> _call = null!;
    private readonly Lock _gate = new();
    private readonly Queue<QueueItem> _ahead = [];
    private readonly SettlementWriter _settlements = null!;
    // The pending read of a reader that gave up; the next reader takes it over.
    private Task<bool>? _reading;
    private Task? _closing;
    private bool _isShutDown;

    /// <param name="queue">The queue.</param>
    /// <param name="session">The session that owns the leases.</param>
    /// <param name="lease">How long each lasts; null lasts as long as the session.</param>
    /// <param name="prefetch">The number of items to prefetch.</param>
    /// <param name="endsWithItsLoop">
    /// A loop left by an exception returns its item and ends the stream right after. The return waits for the end of the stream: otherwise
    /// the item would be delivered to the same stream again, and counted as a delivery.
    /// </param>
    internal QueueConsumer(
        SharedQueue<T> queue, CoordinationSession session, TimeSpan? lease, int prefetch, bool endsWithItsLoop = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prefetch, 1);
        _queue = queue;
        _session = session;
        // Reading ends with the session, or with the task attempt that it belongs to.
        _ending = CancellationTokenSource.CreateLinkedTokenSource(session.Lost);
        _call = session.Services.Queues.Consume(cancellationToken: _ending.Token);
        var first = new ConsumeRequest
        {
            Queue = queue.Name,
            Leased = true,
            Credits = prefetch,
            SessionId = session.Id,
            Lease = TimeLimits.OrNone(lease),
        };
        _settlements = new SettlementWriter(_call.RequestStream, first, endsWithItsLoop);
    }

    /// <summary>For a fake: override <see cref="ReadAllAsync"/>, which otherwise throws <see cref="NotSupportedException"/>.</summary>
    protected QueueConsumer()
    {
    }

    /// <summary>
    /// Items as they arrive, until the queue is shut down and empty. A later reader continues where the previous one stopped.
    /// </summary>
    /// <exception cref="SessionLostException">The session has ended.</exception>
    public virtual async IAsyncEnumerable<LeasedItem<T>> ReadAllAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        FakeMember.ThrowIfNull(_queue, this, nameof(ReadAllAsync));
        while (true)
        {
            while (_ahead.TryDequeue(out var item))
            {
                yield return new LeasedItem<T>(_queue, item, this);
                _settlements.GiveBack(isAwaiting: false);
            }

            _settlements.GiveBack(isAwaiting: true);
            var hasNext = !_isShutDown && await NextAsync(cancellationToken).ConfigureAwait(false);
            _settlements.GiveBack(isAwaiting: false);
            if (!hasNext)
                yield break;
            var message = _call.ResponseStream.Current;
            foreach (var item in message.Items)
                _ahead.Enqueue(item);
            _isShutDown = message.Status == WaitStatus.ShutDown;
        }
    }

    /// <summary>Completes the item or returns it to the front, with the next message, and makes room for another item.</summary>
    internal void Settle(ulong lease, bool done) => _settlements.Settle(lease, done);

    /// <summary>
    /// Ends the stream: earlier settlements count, and the other items are returned. A second call waits for the same completion.
    /// </summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_queue is null)
            return ValueTask.CompletedTask;
        lock (_gate)
            return new ValueTask(_closing ??= CloseAsync(_settlements.End()));
    }

    private async Task CloseAsync(Task writing)
    {
        // Continue outside the lock that the starting caller holds.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _ending.CancelAfter(Farewell);
        try
        {
            await writing.ConfigureAwait(false);
            await _call.RequestStream.CompleteAsync().ConfigureAwait(false);
            // Items still in transit are dropped here; the coordinator returns them to the queue.
            if (_reading is not null)
                await _reading.ConfigureAwait(false);
            while (await _call.ResponseStream.MoveNext(_ending.Token).ConfigureAwait(false))
            {
            }
        }
        catch (Exception exception) when (exception is OrchestratorException or RpcException or InvalidOperationException
            or OperationCanceledException or IOException)
        {
            // The call ended with an error, which its reader has seen.
        }

        _call.Dispose();
        _ending.Dispose();
    }

    private async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            // The call goes on when a reader gives up: that reader's settlements are still to be sent.
            _reading ??= _session.Services.Errors.MoveNextAsync(_call.ResponseStream, CancellationToken.None);
            var hasNext = await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            _reading = null;
            return hasNext;
        }
        catch (Exception exception) when (exception is OperationCanceledException or OrchestratorException and not SessionLostException
            && _session.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new SessionLostException(
                $"the session that consumed queue \"{_queue.Name}\" has ended; its leased items were returned", exception);
        }
    }
}
