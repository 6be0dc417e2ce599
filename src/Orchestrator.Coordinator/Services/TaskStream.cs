using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.Contracts.Passthrough;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Coordinator.Errors;
using Orchestrator.Core.Budgets;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// One StreamTasks call: batches of tasks in, batches of results out. The reading side stops while as many tasks are unfinished or unread as the
/// stream has credits for; the writing side is a <see cref="StreamOutbox{TMessage}"/>.
/// </summary>
internal sealed class TaskStream : TaskReceiver
{
    /// <summary>Events that may wait for a client that does not read; those beyond are dropped (a watch can still replay them).</summary>
    private const int MaxQueuedEvents = 1_000;

    private readonly TaskEngineHost _host;
    private readonly SubmissionReader _submissions;
    private readonly Outbox _outbox;
    private readonly TaskPolicy? _defaults;
    private readonly StreamLimits _limits;
    private readonly TaskClient _client;
    private readonly MemoryBudget _memory;
    private readonly Lock _creditGate = new();
    private readonly List<TaskSubmission> _accepted = [];
    private List<SubmitOutcome?>? _refused;
    private TaskCompletionSource? _creditsWanted;
    private TaskCompletionSource? _emptyWanted;
    private int _inFlight;
    private long _inFlightBytes;
    private long _unreadBytes;
    private bool _isClosed;

    public TaskStream(
        StreamOptions? options, IServerStreamWriter<EncodedMessage> writer, TaskEngineHost host, SubmissionReader submissions, ResultWriter results, StreamLimits limits, TaskClient client, MemoryBudget memory)
    {
        _host = host;
        _submissions = submissions;
        _limits = limits;
        _client = client;
        _memory = memory;
        List<Violation>? violations = null;
        if (options?.Defaults is { } defaults)
            _defaults = PolicyTranslator.Translate(defaults, "options.defaults", ref violations);
        var order = options?.Order ?? ResultOrder.Unspecified;
        if (!Enum.IsDefined(order))
            (violations ??= []).Add(new Violation("options.order", $"{(int)order} is no ResultOrder; 1 (completion) and 2 (submission) are"));
        if (violations is not null)
            throw Failures.Invalid(violations);
        DetachOnDisconnect = options?.DetachOnDisconnect ?? false;
        FailFast = options?.FailFast ?? false;
        WantsTiming = options?.Timing ?? false;
        WantsEvents = options?.Events ?? false;
        _outbox = new Outbox(this, writer, results, order == ResultOrder.Submission, options?.Ids ?? false);
    }

    /// <summary>Completes when the client can no longer be written to.</summary>
    public Task Broken => _outbox.Broken;

    /// <summary>Tells the client how many tasks it may send before it reads, and which life of the coordinator it speaks to.</summary>
    public void Announce(string instance) => _outbox.Announce(instance);

    /// <summary>Tells the client to submit elsewhere.</summary>
    public void NoticeDraining() => _outbox.NoticeDraining();

    /// <summary>Takes one <c>StreamTasksRequest</c>. Tasks that are wrong end as failed results of their tags; the others go on.</summary>
    /// <exception cref="InvalidDataException">It is none; nothing of it has been taken.</exception>
    public void Take(ReadOnlySpan<byte> request)
    {
        var items = new ItemReader<PassStreamTasksRequest>(request, PassTaskView.Field);
        try
        {
            long bytes = 0;
            while (items.Next(out var item))
                bytes += Read(PassTaskView.Read(item));
            if (_accepted.Count > 0 || _refused is not null)
                Submit(bytes);
        }
        finally
        {
            _accepted.Clear();
            _refused = null;
        }

        if (items.Rest is { CancelTags.Count: > 0 } rest)
            _host.Apply(new TaskCommand.CancelTags(this, rest.CancelTags.ToHashSet()));
    }

    /// <summary>Completes when the stream may hold more tasks.</summary>
    public Task WaitForCreditsAsync()
    {
        lock (_creditGate)
        {
            if (HasCredits)
                return Task.CompletedTask;
            _creditsWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _creditsWanted.Task;
        }
    }

    /// <summary>Completes when every task of the stream has ended and its result has been written.</summary>
    public Task WaitUntilEmptyAsync()
    {
        lock (_creditGate)
        {
            if (_inFlight == 0)
                return Task.CompletedTask;
            _emptyWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _emptyWanted.Task;
        }
    }

    /// <summary>The call is over; whatever comes now is not written.</summary>
    public void Close()
    {
        _outbox.Close();
        lock (_creditGate)
        {
            _isClosed = true;
            _memory.Add(-_unreadBytes);
            _unreadBytes = 0;
        }
    }

    public override void OnSubmitted(IReadOnlyList<SubmitOutcome> outcomes) => _outbox.AddSubmitted(_refused, outcomes);

    public override bool TellsAcceptance => _outbox.WithIds;

    public override void OnAccepted(IReadOnlyList<SubmitOutcome> outcomes) => _outbox.AddAccepted(outcomes);

    public override void OnEnded(ReadOnlySpan<Delivery> deliveries)
    {
        long bytes = 0;
        foreach (ref readonly var delivery in deliveries)
            bytes += delivery.Task.OutputBytes;
        if (bytes > 0)
            KeepUnread(bytes);
        _outbox.AddEnded(deliveries);
    }

    public override void OnEvent(in TaskEventRecord item) => _outbox.AddEvent(item);

    public override void Kick(bool alone) => _outbox.Kick();

    private bool HasCredits => _inFlight < _limits.CreditsPerStream && _inFlightBytes < _limits.CreditBytesPerStream;

    /// <summary>Reads a task of the request; the size of its input.</summary>
    private int Read(PassTaskView spec)
    {
        List<Violation>? violations = null;
        var submission = _submissions.Read(spec, _defaults, "task", ref violations);
        if (violations is null)
        {
            _accepted.Add(submission);
            _refused?.Add(null);
        }
        else
        {
            if (_refused is null)
            {
                _refused = [];
                for (var i = 0; i < _accepted.Count; i++)
                    _refused.Add(null);
            }

            var refusal = new TaskFailure((FailureReason)(int)violations[0].Reason, string.Join("; ", violations));
            _refused.Add(new SubmitOutcome(null, refusal, spec.Tag));
        }

        return submission.InputBytes;
    }

    private void Submit(long bytes)
    {
        lock (_creditGate)
        {
            _inFlight += _refused?.Count ?? _accepted.Count;
            _inFlightBytes += bytes;
        }

        // Refusals and outcomes are merged in the order of the request, under the engine's lock, before any of its results.
        if (_accepted.Count > 0)
            _host.Apply(new TaskCommand.Submit(_accepted, this) { Client = _client });
        else
            _outbox.AddSubmitted(_refused, []);
        if (_refused is not null || _outbox.WithIds)
            _outbox.Kick();
    }

    private uint CreditsLeft()
    {
        lock (_creditGate)
            return HasCredits ? (uint)(_limits.CreditsPerStream - _inFlight) : 0;
    }

    /// <summary>What a client does not read is kept here, whatever the engine has forgotten meanwhile.</summary>
    private void KeepUnread(long bytes)
    {
        lock (_creditGate)
        {
            if (_isClosed)
                return;
            _unreadBytes += bytes;
            _memory.Add(bytes);
        }
    }

    private void OnResultsWritten(int count, long bytes)
    {
        if (bytes > 0)
            KeepUnread(-bytes);
        TaskCompletionSource? credits = null;
        TaskCompletionSource? empty = null;
        lock (_creditGate)
        {
            // Bytes are given back in proportion: which result belonged to which input is not worth a lookup.
            _inFlightBytes -= _inFlight == count ? _inFlightBytes : _inFlightBytes / _inFlight * count;
            _inFlight -= count;
            if (HasCredits)
                (credits, _creditsWanted) = (_creditsWanted, null);
            if (_inFlight == 0)
                (empty, _emptyWanted) = (_emptyWanted, null);
        }

        credits?.TrySetResult();
        empty?.TrySetResult();
    }

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
