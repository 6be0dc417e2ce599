using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The requests of a Consume stream: what was settled, and room for as many further items.</summary>
internal sealed class SettlementWriter
{
    private readonly IClientStreamWriter<ConsumeRequest> _stream;
    private readonly bool _endsWithItsLoop;
    private readonly Lock _gate = new();
    private readonly List<ulong> _returned = [];
    private ConsumeRequest _next;
    private Task _writing = Task.CompletedTask;
    private bool _isAwaiting;
    private bool _isWriting;
    private bool _isOver;

    /// <param name="stream">The requests.</param>
    /// <param name="first">The first one, which is sent at once.</param>
    /// <param name="endsWithItsLoop">As in <see cref="QueueConsumer{T}"/>.</param>
    public SettlementWriter(IClientStreamWriter<ConsumeRequest> stream, ConsumeRequest first, bool endsWithItsLoop)
    {
        _stream = stream;
        _next = first;
        _endsWithItsLoop = endsWithItsLoop;
        lock (_gate)
            StartWriting();
    }

    /// <summary>Completes an item or returns it to the front, with the next message, and makes room for another item.</summary>
    public void Settle(ulong lease, bool done)
    {
        lock (_gate)
        {
            // The coordinator returns unsettled items when the stream ends.
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

    /// <summary>The loop continues: sends the item that it has returned.</summary>
    public void GiveBack(bool isAwaiting)
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

    /// <summary>Takes no further settlements; the task is the writing of the earlier ones.</summary>
    public Task End()
    {
        lock (_gate)
        {
            _isOver = true;
            return _writing;
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
        // Continue outside the lock that the starting caller holds.
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

                await _stream.WriteAsync(message).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
            when (exception is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The reader reports why the stream has ended. Nothing more is written.
            lock (_gate)
                _isOver = true;
        }
    }
}
