using Grpc.Core;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Client.Contract;

/// <content>Writing, by one caller at a time.</content>
internal sealed partial class TaskRequestWriter
{
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint);
    private static readonly WriteOptions LastForNow = new();

    private async Task PumpAsync()
    {
        // Take the whole list and split it into messages outside the lock, so that measuring tasks delays no producer.
        var batch = _spare;
        var next = 0;
        var message = new StreamTasksRequest { Options = _options };
        _options = null;
        try
        {
            for (var first = true; ; first = false)
            {
                lock (_gate)
                {
                    if (next == batch.Count)
                    {
                        batch.Clear();
                        next = 0;
                        (_queued, batch) = (batch, _queued);
                    }

                    message.CancelTags.AddRange(_cancels);
                    _cancels.Clear();
                    var greeting = _greeting;
                    _greeting = false;
                    if (batch.Count == 0 && message.CancelTags.Count == 0 && !greeting && !(_completing && _waiters.Count == 0))
                    {
                        _spare = batch;
                        _writing = false;
                        return;
                    }

                    _halfClosing = batch.Count == 0 && message.CancelTags.Count == 0 && !greeting;
                }

                if (_halfClosing)
                {
                    // The coordinator rejects a stream without any message, but accepts one without tasks.
                    if (message.Options is not null)
                        await _stream.WriteAsync(message).ConfigureAwait(false);
                    await _stream.CompleteAsync().ConfigureAwait(false);
                    _halfClosed.TrySetResult();
                    return;
                }

                next = Fill(message, batch, next);
                Messages++;
                Tasks += message.Tasks.Count;
                _stream.WriteOptions = next < batch.Count ? MoreFollows : LastForNow;
                await _stream.WriteAsync(message).ConfigureAwait(false);
                message.Options = null;
                message.Tasks.Clear();
                message.CancelTags.Clear();
                // A producer lends its thread for one message, not for the backlog of the other producers. Without a backlog, as on an idle
                // stream, no other thread is woken.
                if (first && (next < batch.Count || HasQueued()))
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }
        }
        catch (Exception exception)
        {
            // A write fails because the call has ended. Only the reader knows why: it calls Fail with the status. The
            // error kept here covers the case that it never does.
            lock (_gate)
                _failure ??= new OrchestratorException(
                    "The stream has ended.", StatusCode.Unavailable, FailureReason.Unspecified, exception);
        }
    }

    private bool HasQueued()
    {
        lock (_gate)
            return _queued.Count > 0 || _cancels.Count > 0;
    }

    private static int Fill(StreamTasksRequest message, List<TaskSpec> batch, int from)
    {
        var end = Math.Min(batch.Count, from + ProtocolConstants.MaxItemsPerMessage);
        var bytes = 0;
        var next = from;
        while (next < end && bytes < ProtocolConstants.TargetMessageBytes)
        {
            var task = batch[next++];
            bytes += EstimateSize(task);
            message.Tasks.Add(task);
        }

        return next;
    }

    // Payload bytes dominate where size matters; an exact measurement costs half of what writing the task costs.
    private static int EstimateSize(TaskSpec task) =>
        task.Input?.ContentCase == Payload.ContentOneofCase.Data
            ? task.Input.Data.Length + task.Handler.Length + 16
            : task.CalculateSize();
}
