using System.Runtime.InteropServices;
using Grpc.Core;
using Orchestrator.Contracts;
using Orchestrator.Coordinator.Dispatch;
using Orchestrator.Coordinator.Engines;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.Waits;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// The writing side of one Connect stream: outcomes as they come, and notices. A wait costs an entry in the engine and nothing here, so one stream carries any
/// number of them. A client that does not read its outcomes stops only its own requests.
/// </summary>
internal sealed class ConnectStream(IServerStreamWriter<ConnectResponse> writer) : BatchingStreamWriter<ConnectResponse>, IObjectCaller, INumberedCaller, INoticeListener
{
    /// <summary>Outcomes that may wait for the client before its requests are no longer read.</summary>
    private const int MaxQueued = 8 * ProtocolConstants.MaxItemsPerMessage;

    private static long s_opened;

    private readonly Queue<ObjectDelivery> _outcomes = new();
    // Of the message that is being made, by the one who makes it.
    private readonly List<ObjectDelivery> _taken = [];
    private readonly Queue<Notice> _notices = new();
    // Waits of other sessions than the stream's own, such as those of task attempts, which share their worker's stream: where a cancel finds them.
    private readonly Dictionary<ulong, Session> _elsewhere = [];
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _roomWanted;
    private TaskCompletionSource? _answered;
    private bool _announced = true;
    private bool _writing;
    private int _expected;

    /// <inheritdoc/>
    public long Number { get; } = Interlocked.Increment(ref s_opened);

    /// <summary>On whose account its operations are.</summary>
    public required ClientObjectQuota Client { get; init; }

    /// <summary>Completes when the client can no longer be written to.</summary>
    public Task Broken => _broken.Task;

    /// <inheritdoc/>
    public Session? Session { get; private set; }

    /// <summary>Whose stream it is; called under the engine's lock. The first message tells the client.</summary>
    public void Open(Session session)
    {
        lock (Gate)
            (Session, _announced) = (session, false);
    }

    /// <summary>Tells the client something of its own accord.</summary>
    public void Notify(ErrorReason reason, string message)
    {
        lock (Gate)
            _notices.Enqueue(new Notice { Reason = reason, Message = message });
        Flush();
    }

    /// <summary>Answers an operation that the engine never sees.</summary>
    public void Answer(ulong operationId, ObjectOutcome outcome)
    {
        lock (Gate)
            _outcomes.Enqueue(new ObjectDelivery(this, operationId, outcome));
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

    /// <summary>Counts operations that are about to be asked of the engine.</summary>
    public void Expect(int operations)
    {
        lock (Gate)
            _expected += operations;
    }

    /// <summary>Completes when every operation so far has had its outcome, and that has been written.</summary>
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
        // The wait outlives the stream as long as its session does: whoever resumes that takes it over by its operation id.
        lock (Gate)
        {
            if (wait.Session is { } session && session != Session)
                _elsewhere[tag] = session;
        }
    }

    /// <summary>Operations of this stream by the session that waits for them, where that is not the stream's own.</summary>
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
            return HasQueuedLocked();
    }

    protected override ConnectResponse? Take()
    {
        TaskCompletionSource? room = null;
        ConnectResponse message;
        lock (Gate)
        {
            if (!HasQueuedLocked())
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
                // What would not fit beside others into a client's default message limit gets a message of its own.
                if (bytes > 0 && bytes + delivery.Outcome.Bytes > ProtocolConstants.MaxPayloadBytes)
                    break;
                _taken.Add(_outcomes.Dequeue());
                bytes += delivery.Outcome.Bytes;
            }

            if (_outcomes.Count < MaxQueued)
                (room, _roomWanted) = (_roomWanted, null);
        }

        // Without the lock, since whoever has an outcome for this stream holds the engine's.
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

    private bool HasQueuedLocked() => _outcomes.Count > 0 || _notices.Count > 0 || !_announced;
}
