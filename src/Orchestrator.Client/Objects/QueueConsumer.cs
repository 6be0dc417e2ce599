using System.Runtime.CompilerServices;
using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client;

/// <summary>
/// One Consume stream: items come ahead, as far as credits allow, and settlements go back with the next message. Nothing waits for an answer, so that a loop over
/// small items is not a loop over round trips. When it is disposed, what is unsettled goes back.
/// </summary>
/// <remarks>Safe for many threads, but for one reader at a time.</remarks>
public sealed class QueueConsumer : IAsyncDisposable
{
    // Time for the coordinator to take the last settlements; after that they count as lost with the stream.
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(10);

    private readonly SharedQueue _queue;
    private readonly CoordinationSession _session;
    private readonly CancellationTokenSource _ending;
    private readonly AsyncDuplexStreamingCall<ConsumeRequest, ConsumeResponse> _call;
    private readonly Lock _gate = new();
    private readonly Queue<QueueItem> _ahead = [];
    private readonly bool _endsWithItsLoop;
    private readonly List<ulong> _returned = [];
    private bool _isAwaiting;
    private ConsumeRequest _next;
    private Task _writing = Task.CompletedTask;
    // Of a reader that gave up; the next one takes it over.
    private Task<bool>? _reading;
    private Task? _closing;
    private bool _isWriting;
    private bool _isOver;
    private bool _isShutDown;

    /// <param name="queue">The queue.</param>
    /// <param name="session">Whose leases they are.</param>
    /// <param name="lease">How long each lasts; null lasts as long as the session.</param>
    /// <param name="prefetch">Items that come ahead.</param>
    /// <param name="endsWithItsLoop">
    /// A loop that is left by an exception gives its item back and ends the stream right after: the item waits for that, since it would only be delivered to the same
    /// stream once more, and be counted.
    /// </param>
    internal QueueConsumer(SharedQueue queue, CoordinationSession session, TimeSpan? lease, int prefetch, bool endsWithItsLoop = false)
    {
        _endsWithItsLoop = endsWithItsLoop;
        ArgumentOutOfRangeException.ThrowIfLessThan(prefetch, 1);
        _queue = queue;
        _session = session;
        // With the session's end, and that of the task attempt it belongs to, nobody reads here any more.
        _ending = CancellationTokenSource.CreateLinkedTokenSource(session.Lost);
        _call = session.Services.Queues.Consume(cancellationToken: _ending.Token);
        _next = new ConsumeRequest { Queue = queue.Name, Leased = true, Credits = prefetch, SessionId = session.Id };
        _next.Lease = TimeLimits.OrNone(lease);
        lock (_gate)
            StartWriting();
    }

    /// <summary>Items as they come, until the queue is shut down and empty. A later reader goes on where the one before it has stopped.</summary>
    /// <exception cref="SessionLostException">The session has ended.</exception>
    public async IAsyncEnumerable<LeasedItem> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            while (_ahead.TryDequeue(out var item))
            {
                yield return new LeasedItem(_queue, item, this);
                GiveBack(isAwaiting: false);
            }

            GiveBack(isAwaiting: true);
            var hasNext = !_isShutDown && await NextAsync(cancellationToken);
            GiveBack(isAwaiting: false);
            if (!hasNext)
                yield break;
            var message = _call.ResponseStream.Current;
            foreach (var item in message.Items)
                _ahead.Enqueue(item);
            _isShutDown = message.Status == WaitStatus.ShutDown;
        }
    }

    /// <summary>The item is done, or goes back to the front, with the next message; and there is room for another one.</summary>
    internal void Settle(ulong lease, bool done)
    {
        lock (_gate)
        {
            // What is unsettled when the stream ends goes back anyway.
            if (_isOver)
                return;
            if (!done && _endsWithItsLoop && !_isAwaiting)
            {
                _returned.Add(lease);
                return;
            }

            (done ? _next.DoneLeaseIds : _next.ReturnLeaseIds).Add(lease);
            _next.Credits++;
            StartWriting();
        }
    }

    /// <summary>The loop goes on: what it has given back goes back now.</summary>
    private void GiveBack(bool isAwaiting)
    {
        lock (_gate)
        {
            _isAwaiting = isAwaiting;
            if (_returned.Count == 0 || _isOver)
                return;
            _next.ReturnLeaseIds.AddRange(_returned);
            _next.Credits += _returned.Count;
            _returned.Clear();
            StartWriting();
        }
    }

    /// <summary>Ends the stream; what was settled before counts, and the rest goes back. Once more, it waits for the same end.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isOver = true;
            return new ValueTask(_closing ??= CloseAsync(_writing));
        }
    }

    private async Task CloseAsync(Task writing)
    {
        // Out of the lock, in which this was started.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        _ending.CancelAfter(s_farewell);
        try
        {
            await writing;
            await _call.RequestStream.CompleteAsync();
            // Items that were under way are dropped here and given back there.
            if (_reading is not null)
                await _reading;
            while (await _call.ResponseStream.MoveNext(_ending.Token))
            {
            }
        }
        catch (Exception exception) when (exception is OrchestratorException or RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // It has ended in another way, which whoever read it has been told.
        }

        _call.Dispose();
        _ending.Dispose();
    }

    private async Task<bool> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            // The call itself goes on when a reader gives up: what it settled is still to be sent.
            _reading ??= _session.Services.Errors.MoveNextAsync(_call.ResponseStream, CancellationToken.None);
            var hasNext = await _reading.WaitAsync(cancellationToken);
            _reading = null;
            return hasNext;
        }
        catch (Exception exception) when (exception is OperationCanceledException or OrchestratorException and not SessionLostException
            && _session.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new SessionLostException($"the session that consumed queue \"{_queue.Name}\" has ended; what it had leased has gone back", exception);
        }
    }

    private void StartWriting()
    {
        if (_isWriting)
            return;
        _isWriting = true;
        _writing = WriteAsync();
    }

    /// <summary>Natural batching: what was settled during one write goes out with the next.</summary>
    private async Task WriteAsync()
    {
        // Out of the lock, in which this was started.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (true)
            {
                ConsumeRequest message;
                lock (_gate)
                {
                    if (_next.Credits == 0)
                    {
                        _isWriting = false;
                        return;
                    }

                    (message, _next) = (_next, new ConsumeRequest());
                }

                await _call.RequestStream.WriteAsync(message);
            }
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The reader says why the stream has ended. Nothing more is written.
            lock (_gate)
                _isOver = true;
        }
    }
}
