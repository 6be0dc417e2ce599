using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.Contracts.Passthrough;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

// What goes to the client: results, in the order that it asked for, and what else there is to say.
internal sealed partial class TaskStream
{
    /// <summary>One entry of the results to come: an accepted task or a refusal.</summary>
    private readonly record struct Entry(TaskRecord? Task, TaskFailure? Refusal, ulong Tag)
    {
        public bool IsReady => Refusal is not null || Task!.HasEnded;

        public int Bytes => Task?.OutputBytes ?? 0;
    }

    private sealed class Outbox(TaskStream stream, IServerStreamWriter<EncodedMessage> writer, ResultWriter results, bool inOrder, bool withIds)
        : StreamOutbox<EncodedMessage>
    {
        private readonly Queue<Entry> _results = new();
        private readonly List<Entry> _taken = [];
        private long _takenBytes;
        private readonly EncodedMessage _message = new();
        private readonly Queue<TaskEventRecord> _events = new();
        private readonly List<(ulong Tag, ulong Id)> _acceptedIds = [];
        private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private string _instance = "";
        private bool _announce;
        private bool _draining;

        public Task Broken => _broken.Task;

        public bool WithIds => withIds;

        public void Announce(string instance)
        {
            lock (Gate)
            {
                _announce = true;
                _instance = instance;
            }

            Kick();
        }

        public void NoticeDraining()
        {
            lock (Gate)
                _draining = _announce = true;
            Kick();
        }

        /// <param name="refused">In the order of the request, what was refused without the engine, and null for what it was asked; null where it was asked all.</param>
        /// <param name="outcomes">What the engine said.</param>
        public void AddSubmitted(List<SubmitOutcome?>? refused, IReadOnlyList<SubmitOutcome> outcomes)
        {
            lock (Gate)
            {
                var next = 0;
                for (var i = 0; i < (refused?.Count ?? outcomes.Count); i++)
                {
                    var outcome = refused?[i] ?? outcomes[next++];
                    // In the order of completion an accepted task is queued when it ends.
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
            if (inOrder)
                return;
            lock (Gate)
            {
                foreach (ref readonly var delivery in deliveries)
                    _results.Enqueue(new Entry(delivery.Task, null, delivery.Tag));
            }
        }

        public void AddEvent(in TaskEventRecord item)
        {
            lock (Gate)
            {
                if (_events.Count < MaxQueuedEvents)
                    _events.Enqueue(item);
            }
        }

        protected override bool HasQueued()
        {
            lock (Gate)
                return HasQueuedLocked();
        }

        protected override EncodedMessage? Take()
        {
            if (!TryTake(out var rest))
                return null;
            // Outside the lock, which whoever adds holds together with the engine's.
            _message.Clear();
            foreach (ref readonly var entry in CollectionsMarshal.AsSpan(_taken))
            {
                if (entry.Task is { } task)
                    results.AddTo(_message, task, entry.Tag, stream.WantsTiming);
                else
                    _message.Add(PlainTaskResult.Field, new MessageItem(ResultWriter.ToRefusal(entry.Refusal!, entry.Tag)));
            }

            _message.Append(rest);
            return _message;
        }

        protected override Task WriteAsync(EncodedMessage message) => writer.WriteAsync(message);

        protected override void OnWritten(EncodedMessage message)
        {
            if (_taken.Count > 0)
                stream.OnResultsWritten(_taken.Count, _takenBytes);
            _takenBytes = 0;
            _taken.Clear();
        }

        /// <summary>Takes what the next message holds: results, and what else there is to say.</summary>
        private bool TryTake([NotNullWhen(true)] out PassStreamTasksResponse? rest)
        {
            lock (Gate)
            {
                rest = null;
                if (!HasQueuedLocked())
                    return false;
                _announce = false;
                rest = new PassStreamTasksResponse { Draining = _draining, Credits = stream.CreditsLeft(), Instance = _instance };
                _instance = "";
                // All of them: no more than the stream's credits, and none may come after its result.
                foreach (var (tag, id) in _acceptedIds)
                {
                    rest.AcceptedTags.Add(tag);
                    rest.AcceptedTaskIds.Add(id);
                }

                _acceptedIds.Clear();
                var bytes = 0;
                while (_events.Count > 0 && rest.Events.Count < ProtocolConstants.MaxItemsPerMessage && bytes < ProtocolConstants.TargetMessageBytes)
                {
                    var item = _events.Dequeue();
                    rest.Events.Add(results.ToEvent(item, item.Task.Tag));
                    bytes += item.ContentBytes;
                }

                while (_results.Count > 0 && _taken.Count < ProtocolConstants.MaxItemsPerMessage && bytes < ProtocolConstants.TargetMessageBytes
                    && _results.Peek() is { IsReady: true } next)
                {
                    // What would not fit beside others into a client's default message limit gets a message of its own.
                    if (bytes > 0 && bytes + next.Bytes > ProtocolConstants.MaxPayloadBytes)
                        break;
                    _taken.Add(_results.Dequeue());
                    bytes += next.Bytes;
                    _takenBytes += next.Bytes;
                }

                return true;
            }
        }

        protected override void OnFailed(Exception exception) => _broken.TrySetResult();

        private bool HasQueuedLocked() =>
            _announce || _acceptedIds.Count > 0 || _events.Count > 0 || (_results.Count > 0 && _results.Peek().IsReady);
    }
}
