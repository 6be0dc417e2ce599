using System.Diagnostics;
using System.Runtime.InteropServices;
using Grpc.Core;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// The writing side of one Connect stream: outcomes as they arrive, and notices. A wait costs an entry in the engine and nothing here, so
/// one stream carries any number of waits. A client that does not read its outcomes blocks only its own requests.
/// </summary>
internal sealed class ConnectStream(IServerStreamWriter<ConnectResponse> writer)
    : BatchingStreamWriter<ConnectResponse>, IObjectCaller, INumberedCaller, INoticeListener
{
    /// <summary>The number of unread outcomes at which the client's requests are no longer read.</summary>
    private const int MaxQueued = 8 * ProtocolConstants.MaxItemsPerMessage;

    private static long s_opened;

    private readonly Queue<ObjectDelivery> _outcomes = new();
    // State of the message under construction, used by the writing thread only.
    private readonly List<ObjectDelivery> _taken = [];
    private readonly Queue<Notice> _notices = new();
    // Waits of sessions other than the stream's own, such as those of task attempts, which share their worker's stream; cancels look them
    // up here.
    private readonly Dictionary<ulong, Session> _elsewhere = [];
    // What the engine does not keep: answers to questions, refusals, and some errors.
    private RecentOperations<(ObjectError? Error, ulong Root)>? _answers;
    // The sessions of commands that named another than the stream's own.
    private RecentOperations<string>? _sessions;
    private int _corks;
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _roomWanted;
    private TaskCompletionSource? _answered;
    private bool _announced = true;
    private bool _writing;
    private int _expected;

    /// <inheritdoc/>
    public long Number { get; } = Interlocked.Increment(ref s_opened);

    /// <summary>The client quota that its operations count against.</summary>
    public required ClientObjectQuota Client { get; init; }

    /// <summary>Completes when writing to the client has failed.</summary>
    public Task Broken => _broken.Task;

    /// <inheritdoc/>
    public Session? Session { get; private set; }

    /// <summary>Sets the stream's session, before it receives notices. The first message reports it to the client.</summary>
    public void Open(Session session)
    {
        lock (Gate)
            (Session, _announced) = (session, false);
    }

    /// <summary>Sends the client an unsolicited notice.</summary>
    public void Notify(ErrorReason reason, string message)
    {
        lock (Gate)
            _notices.Enqueue(new Notice { Reason = reason, Message = message });
        Flush();
    }

    /// <summary>Answers an operation that the engine never sees.</summary>
    /// <param name="operationId">Its id.</param>
    /// <param name="outcome">Its outcome.</param>
    /// <param name="root">For one that did not run because of another: the one that failed.</param>
    /// <param name="isExpected">Whether it was counted by <see cref="Expect"/>.</param>
    public void Answer(ulong operationId, ObjectOutcome outcome, ulong? root = null, bool isExpected = false)
    {
        lock (Gate)
        {
            _outcomes.Enqueue(new ObjectDelivery(this, operationId, outcome));
            (_answers ??= new()).Add(operationId, (outcome as ObjectError, root ?? operationId));
            if (isExpected)
                _expected--;
        }

        Flush();
    }

    /// <summary>
    /// Whether an operation was answered without the engine, or with an error: its error, null if it has none, and the operation that
    /// failed, which is another one if it did not run because of it. False if it was not, or is no longer known.
    /// </summary>
    public bool TryFindAnswer(ulong operationId, out ObjectError? error, out ulong root)
    {
        lock (Gate)
        {
            var isKnown = _answers is not null;
            (error, root) = isKnown && _answers!.TryFind(operationId, out var answer) ? answer : (null, 0);
            return root != 0;
        }
    }

    /// <summary>Notes that an operation is one of another session than the stream's own.</summary>
    public void NoteSession(ulong operationId, string session)
    {
        lock (Gate)
            (_sessions ??= new()).Add(operationId, session);
    }

    /// <summary>The session of an operation, if it is known to be another than the stream's own; null if not.</summary>
    public string? FindSession(ulong operationId)
    {
        lock (Gate)
        {
            return _elsewhere.TryGetValue(operationId, out var waiting) ? waiting.Id
                : _sessions is not null && _sessions.TryFind(operationId, out var session) ? session
                : null;
        }
    }

    /// <summary>
    /// Until <see cref="Uncork"/>, as often as this was called, outcomes wait: those that follow from each other leave in one message.
    /// </summary>
    public void Cork()
    {
        lock (Gate)
            _corks++;
    }

    /// <summary>Ends some of the <see cref="Cork"/>s.</summary>
    public void Uncork(int corks = 1)
    {
        lock (Gate)
            _corks -= corks;
        Flush();
    }

    /// <summary>Completes when the client has read enough of its outcomes.</summary>
    public Task WaitForRoomAsync()
    {
        lock (Gate)
        {
            if (_outcomes.Count < MaxQueued)
                return Task.CompletedTask;
            _roomWanted ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _roomWanted.Task;
        }
    }

    /// <summary>Counts operations about to be passed to the engine.</summary>
    public void Expect(int operations)
    {
        lock (Gate)
            _expected += operations;
    }

    /// <summary>Completes when the outcome of every operation so far has been written.</summary>
    public Task WaitUntilAnsweredAsync()
    {
        lock (Gate)
        {
            if (_expected == 0 && !HasQueuedLocked() && !_writing)
                return Task.CompletedTask;
            _answered ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _answered.Task;
        }
    }

    public void OnWaiting(ulong tag, Wait wait)
    {
        // The wait outlives the stream as long as its session does: a client that resumes the session takes over the wait by its operation
        // id.
        lock (Gate)
        {
            if (wait.Session is { } session && session != Session)
                _elsewhere[tag] = session;
        }
    }

    /// <summary>Operations of this stream by waiting session, for sessions other than the stream's own.</summary>
    public IReadOnlyList<IGrouping<Session, ulong>> WaitingElsewhere(IEnumerable<ulong> operationIds)
    {
        lock (Gate)
            return [.. operationIds.Where(_elsewhere.ContainsKey).GroupBy(id => _elsewhere[id])];
    }

    public void OnOutcome(in ObjectDelivery delivery)
    {
        lock (Gate)
        {
            _outcomes.Enqueue(delivery);
            _elsewhere.Remove(delivery.Tag);
            // The engine keeps the other errors itself.
            if (delivery.Outcome is ObjectError
                {
                    Reason: ObjectErrorReason.LimitExceeded or ObjectErrorReason.JournalFailed or ObjectErrorReason.None,
                } error)
                (_answers ??= new()).Add(delivery.Tag, (error, delivery.Tag));
            _expected--;
        }
    }

    public void OnNotice(in ObjectNotice notice)
    {
        lock (Gate)
        {
            _notices.Enqueue(new Notice
            {
                Reason = (ErrorReason)(int)notice.Reason,
                Object = notice.ObjectName,
                Message = notice.Message,
                SessionId = notice.Session == Session ? "" : notice.Session.Id,
            });
        }
    }

    protected override bool HasQueued()
    {
        lock (Gate)
            return _corks == 0 && HasQueuedLocked();
    }

    protected override ConnectResponse? Take()
    {
        TaskCompletionSource? room = null;
        ConnectResponse message;
        lock (Gate)
        {
            if (_corks > 0 || !HasQueuedLocked())
                return null;
            _writing = true;
            message = new ConnectResponse { SessionId = _announced ? "" : Session!.Id };
            _announced = true;
            while (_notices.TryDequeue(out var notice))
                message.Notices.Add(notice);
            var bytes = 0;
            while (_taken.Count < ProtocolConstants.MaxItemsPerMessage
                && bytes < ProtocolConstants.TargetMessageBytes
                && _outcomes.TryPeek(out var delivery))
            {
                // An outcome that does not fit with others into a client's default message limit gets a message of its own.
                if (bytes > 0 && bytes + delivery.Outcome.Bytes > ProtocolConstants.SharedMessageBytes)
                    break;
                _taken.Add(_outcomes.Dequeue());
                bytes += delivery.Outcome.Bytes;
            }

            if (_outcomes.Count < MaxQueued)
                (room, _roomWanted) = (_roomWanted, null);
        }

        // Without the lock: threads that deliver an outcome to this stream hold the engine's lock.
        foreach (ref readonly var delivery in CollectionsMarshal.AsSpan(_taken))
            message.Outcomes.Add(ConnectOperations.ToOutcome(delivery.Tag, delivery.Outcome));
        _taken.Clear();
        room?.TrySetResult();
        return message;
    }

    protected override Task WriteAsync(ConnectResponse message) => writer.WriteAsync(message);

    protected override void OnWritten(ConnectResponse message)
    {
        TaskCompletionSource? answered = null;
        lock (Gate)
        {
            _writing = false;
            if (_expected == 0 && !HasQueuedLocked())
                (answered, _answered) = (_answered, null);
        }

        answered?.TrySetResult();
    }

    protected override void OnFailed(Exception exception)
    {
        lock (Gate)
            _answered?.TrySetResult();
        _broken.TrySetResult();
    }

    private bool HasQueuedLocked()
    {
        Debug.Assert(Gate.IsHeldByCurrentThread);
        return _outcomes.Count > 0 || _notices.Count > 0 || !_announced;
    }
}
