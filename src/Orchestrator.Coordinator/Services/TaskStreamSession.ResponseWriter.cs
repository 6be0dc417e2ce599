using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Grpc.Core;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Protocol;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Coordinator.Services;

// Writes to the client: results, in the requested order, and other messages.
internal sealed partial class TaskStreamSession
{
    /// <summary>One entry in the queue of results: an accepted task or a refusal.</summary>
    private readonly record struct Entry(TaskRecord? Task, TaskFailure? Refusal, ulong Tag)
    {
        public int Bytes => Task?.OutputBytes ?? 0;
    }

    private sealed class ResponseWriter(
        TaskStreamSession stream, IServerStreamWriter<MessageBuffer> writer, TaskResultMapper results, bool inOrder, bool withIds)
        : BatchingStreamWriter<MessageBuffer>
    {
        private readonly Queue<Entry> _results = new();
        // For submission order: reported ends. The task's record is not enough: it shows the end before the accompanying data, such as the
        // last events, is here.
        private readonly Dictionary<long, int> _ended = [];
        private readonly List<Entry> _taken = [];
        private long _takenBytes;
        private readonly MessageBuffer _message = new();
        private readonly EventBacklog _events = new(stream._memory);
        private readonly List<(ulong Tag, ulong Id)> _acceptedIds = [];
        private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private string _instance = "";
        private bool _announce;
        private bool _draining;
        private bool _resultsFirst;

        public Task Broken => _broken.Task;

        public bool WithIds => withIds;

        /// <summary>Results that have not been taken into a message.</summary>
        public int QueuedResults
        {
            get
            {
                lock (Gate)
                    return _results.Count;
            }
        }

        public void Announce(string instance)
        {
            lock (Gate)
            {
                _announce = true;
                _instance = instance;
            }

            Flush();
        }

        public void NoticeDraining()
        {
            lock (Gate)
                _draining = _announce = true;
            Flush();
        }

        /// <param name="refused">In request order, the refusals made without the engine, with null for tasks passed to the engine; null if
        /// all were passed.</param>
        /// <param name="outcomes">The engine's outcomes.</param>
        public void AddSubmitted(List<SubmitOutcome?>? refused, IReadOnlyList<SubmitOutcome> outcomes)
        {
            lock (Gate)
            {
                var next = 0;
                for (var i = 0; i < (refused?.Count ?? outcomes.Count); i++)
                {
                    var outcome = refused?[i] ?? outcomes[next++];
                    // In completion order, an accepted task is queued when it ends.
                    if (inOrder || outcome.Refusal is not null)
                        _results.Enqueue(new Entry(outcome.Task, outcome.Refusal, outcome.Tag));
                }
            }
        }

        public void AddAccepted(IReadOnlyList<SubmitOutcome> outcomes)
        {
            lock (Gate)
            {
                foreach (var outcome in outcomes)
                    _acceptedIds.Add((outcome.Tag, (ulong)outcome.Task!.Id));
            }
        }

        public void AddEnded(ReadOnlySpan<Delivery> deliveries)
        {
            lock (Gate)
            {
                foreach (ref readonly var delivery in deliveries)
                {
                    if (inOrder)
                        CollectionsMarshal.GetValueRefOrAddDefault(_ended, delivery.Task.Id, out _)++;
                    else
                        _results.Enqueue(new Entry(delivery.Task, null, delivery.Tag));
                }
            }
        }

        public void AddEvent(in TaskEventRecord item)
        {
            lock (Gate)
            {
                _events.Add(item);
            }
        }

        public async Task EndAsync(CancellationToken gone)
        {
            Close();
            lock (Gate)
                _events.Close();
            await CloseAsync(gone);
        }

        protected override bool HasQueued()
        {
            lock (Gate)
                return HasQueuedLocked();
        }

        protected override MessageBuffer? Take()
        {
            if (!TryTake(out var rest))
                return null;
            // Outside the lock: threads that add entries hold it together with the engine's lock.
            foreach (ref readonly var entry in CollectionsMarshal.AsSpan(_taken))
            {
                if (entry.Task is { } task)
                    results.AddTo(_message, task, entry.Tag, stream.WantsTiming);
                else
                    _message.Add(PlainTaskResult.Field, new MessageItem(TaskResultMapper.ToRefusal(entry.Refusal!, entry.Tag)));
            }

            _message.Append(rest);
            return _message;
        }

        protected override Task WriteAsync(MessageBuffer message) => writer.WriteAsync(message);

        protected override void OnWritten(MessageBuffer message)
        {
            message.Clear();
            if (_taken.Count > 0)
                stream.OnResultsWritten(_taken.Count, _takenBytes);
            _takenBytes = 0;
            _taken.Clear();
        }

        /// <summary>Takes the content of the next message: results and other messages.</summary>
        private bool TryTake([NotNullWhen(true)] out RawStreamTasksResponse? rest)
        {
            lock (Gate)
            {
                rest = null;
                if (!HasQueuedLocked())
                    return false;
                _announce = false;
                rest = new RawStreamTasksResponse { Draining = _draining, Credits = stream.CreditsLeft(), Instance = _instance };
                _instance = "";
                // All acceptances: at most as many as the stream's credits, and none may follow its result.
                foreach (var (tag, id) in _acceptedIds)
                {
                    rest.AcceptedTags.Add(tag);
                    rest.AcceptedTaskIds.Add(id);
                }

                _acceptedIds.Clear();
                TakeResults(rest, TakeEvents(rest));
                return true;
            }
        }

        /// <summary>Takes events; returns their size in bytes.</summary>
        private int TakeEvents(RawStreamTasksResponse rest)
        {
            var bytes = 0;
            while (!_resultsFirst && rest.Events.Count < ProtocolConstants.MaxItemsPerMessage
                && bytes < ProtocolConstants.TargetMessageBytes
                && (bytes == 0 || bytes + _events.NextBytes <= ProtocolConstants.SharedMessageBytes)
                && _events.TryTake(out var item, out var missing))
            {
                results.AddTo(rest.Events, item, missing, item.Task.Tag);
                bytes += item.ContentBytes;
            }

            _resultsFirst = false;
            return bytes;
        }

        /// <summary>
        /// Takes results to send along with this many bytes of events, which are limited separately, so that a flood of events delays no
        /// result.
        /// </summary>
        private void TakeResults(RawStreamTasksResponse rest, int eventBytes)
        {
            var bytes = 0;
            while (_results.Count > 0 && _taken.Count < ProtocolConstants.MaxItemsPerMessage && bytes < ProtocolConstants.TargetMessageBytes
                && _results.TryPeek(out var next) && IsReady(next))
            {
                // A result that does not fit with others into a client's default message limit gets a message of its own.
                if (eventBytes + bytes is > 0 and var others && others + next.Bytes > ProtocolConstants.SharedMessageBytes)
                {
                    _resultsFirst = eventBytes > 0 && bytes == 0;
                    break;
                }

                if (stream.WantsEvents && next.Task is { } task)
                {
                    if (_events.Holds(task))
                        break;
                    results.AddGap(rest.Events, task, _events.End(task), next.Tag);
                }

                _taken.Add(_results.Dequeue());
                if (inOrder && next.Task is { } told && --CollectionsMarshal.GetValueRefOrAddDefault(_ended, told.Id, out _) <= 0)
                    _ended.Remove(told.Id);
                bytes += next.Bytes;
                _takenBytes += next.Bytes;
            }
        }

        protected override void OnFailed(Exception exception) => _broken.TrySetResult();

        private bool HasQueuedLocked()
        {
            Debug.Assert(Gate.IsHeldByCurrentThread);
            return _announce || _acceptedIds.Count > 0 || _events.Count > 0 || (_results.TryPeek(out var next) && IsReady(next));
        }

        private bool IsReady(in Entry entry) => !inOrder || entry.Refusal is not null || _ended.ContainsKey(entry.Task!.Id);
    }
}
