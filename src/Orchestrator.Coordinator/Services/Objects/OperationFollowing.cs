using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.Services.Objects;

/// <summary>
/// Runs the operations of one stream that have to follow others (<c>Operation.after</c>). The engine says how an operation has ended, or
/// tells it when its wait ends (<see cref="FollowOperation"/>); what that means for those that follow it is decided here, outside the
/// engine's lock and by one thread at a time, so that they run in the order in which they were sent.
/// </summary>
/// <param name="session">Executes them.</param>
/// <param name="stream">Answers the client.</param>
/// <param name="streamSession">The stream's own session.</param>
internal sealed class OperationFollowing(ConnectSession session, ConnectStream stream, string streamSession)
    : IObjectCaller, IThreadPoolWorkItem
{
    // The thread that ends a wait is another client's: it runs a few operations at once, since waking another thread would cost more.
    private const int MaxRounds = 8;

    private readonly Lock _gate = new();
    private readonly HeldOperations _held = new();
    private readonly Queue<Event> _events = new();
    private bool _isClosed;
    private int _running;

    /// <summary>Holds an operation back until the one before has succeeded.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="after">The id of the one before.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="requests">The commands to be applied next, to which the question for the one before is added.</param>
    /// <returns>Why it is refused; null if it is held.</returns>
    public ObjectError? Hold(in ReadyOperation operation, ulong after, int bytes, List<ObjectRequest> requests)
    {
        if (operation.Id == 0)
            return Refuse("an operation with after needs an operation_id of its own");
        if (operation.Id == after)
            return Refuse($"operation {after} cannot run after itself: after names an operation that was sent before");
        lock (_gate)
        {
            if (_held.Find(operation.Id) is not null)
            {
                return new ObjectError(
                    ObjectErrorReason.Cancelled,
                    $"operation {operation.Id} was sent before and has not run yet; that one gets its outcome");
            }

            var held = new HeldOperation(operation, after);
            _held.Hold(held);
            Follow(held, bytes, requests);
        }

        stream.Expect(1);
        return null;
    }

    /// <summary>Gives up operations, held or not, and those that follow the held ones.</summary>
    public void Cancel(IReadOnlyList<ulong> operationIds)
    {
        stream.Cork();
        lock (_gate)
            _events.Enqueue(new Event(0, null, operationIds));
        Run();
    }

    /// <summary>The stream has ended: nothing that is held will run.</summary>
    public void Close()
    {
        var requests = new List<ObjectRequest>();
        lock (_gate)
        {
            _isClosed = true;
            foreach (var held in _held.Clear())
                requests.Add(new ObjectRequest(new StopFollowing(held.Follow!)));
        }

        session.Apply(requests);
    }

    public void OnWaiting(ulong tag, Wait wait)
    {
    }

    public void OnOutcome(in ObjectDelivery delivery)
    {
        // The outcome of the one before leaves together with what follows from it.
        stream.Cork();
        lock (_gate)
            _events.Enqueue(new Event(delivery.Tag, delivery.Outcome, null));
    }

    public void Flush(bool alone) => Run();

    void IThreadPoolWorkItem.Execute() => Run();

    private void Run()
    {
        for (var round = 0; Interlocked.CompareExchange(ref _running, 1, 0) == 0; round++)
        {
            var requests = new List<ObjectRequest>();
            var events = 0;
            for (; events < MaxRounds && TryTake(out var next); events++)
            {
                if (next.Outcome is { } outcome)
                    OnEnded(next.Id, outcome, requests);
                else
                    OnCancelled(next.Cancelled!, requests);
            }

            session.Apply(requests);
            Volatile.Write(ref _running, 0);
            if (events > 0)
                stream.Uncork(events);
            // An event may have come after the last was taken and before the reset.
            lock (_gate)
            {
                if (_events.Count == 0)
                    return;
            }

            if (round < MaxRounds)
                continue;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }
    }

    private bool TryTake(out Event next)
    {
        lock (_gate)
            return _events.TryDequeue(out next);
    }

    private void OnEnded(ulong id, ObjectOutcome outcome, List<ObjectRequest> requests)
    {
        HeldOperation? held;
        IReadOnlyList<HeldOperation> dropped = [];
        var root = 0UL;
        ObjectError? error = null;
        lock (_gate)
        {
            held = _held.Find(id);
            if (held is null)
                return;
            root = held.Root;
            error = Failure(outcome, ref root);
            if (held.Root != held.After && (error is null || _held.Find(held.After) is null))
            {
                // What it awaited was not yet the operation before it, which was held back itself and has been started meanwhile.
                var bytes = held.Follow!.Bytes;
                _held.Release(held);
                _held.Hold(held);
                Follow(held, bytes, requests);
                return;
            }

            if (error is null)
                _held.Release(held);
            else
                dropped = _held.Drop(held);
        }

        if (error is null)
            Start(held.Operation, requests);
        else
            Refuse(held, dropped, root, error, requests);
    }

    /// <summary>Why what follows an operation must not run; null if it may.</summary>
    /// <param name="outcome">What the engine says of the operation.</param>
    /// <param name="root">The operation; the one that failed, if it did not run because of another.</param>
    private ObjectError? Failure(ObjectOutcome outcome, ref ulong root)
    {
        if (outcome is not ObjectError error)
        {
            if (!outcome.IsSuccess)
                return Unsuccessful(outcome);
            // Done in memory, and reported as failed since it could not be written.
            return stream.TryFindAnswer(root, out var failed, out _) && failed is { Reason: ObjectErrorReason.JournalFailed }
                ? failed
                : null;
        }

        // The engine does not keep it: the stream may have answered it.
        if (error is not { Reason: ObjectErrorReason.Invalid, Field: "after" }
            || !stream.TryFindAnswer(root, out var answered, out var first))
            return error;
        if (answered is not null)
            root = first;
        return answered;
    }

    private void OnCancelled(IReadOnlyList<ulong> operationIds, List<ObjectRequest> requests)
    {
        foreach (var id in operationIds)
        {
            IReadOnlyList<HeldOperation> dropped;
            lock (_gate)
            {
                if (_held.Find(id) is not { } held)
                    continue;
                dropped = _held.Drop(held);
            }

            Refuse(null, dropped, id, Cancelled, requests);
        }

        // Those that have been started are the engine's, also those of this round.
        session.Apply(requests);
        session.Cancel(operationIds);
    }

    private static ObjectError Cancelled { get; } =
        new(ObjectErrorReason.Cancelled, "the operation was cancelled by its caller before it ran; nothing was done");

    private void Start(in ReadyOperation operation, List<ObjectRequest> requests)
    {
        if (operation.Request is { } request)
        {
            requests.Add(request);
            return;
        }

        // A read sees the effects of earlier requests.
        session.Apply(requests);
        ObjectOutcome answer;
        try
        {
            answer = session.Ask(operation.Read!);
        }
        catch (Exception exception)
        {
            // This thread may be another client's.
            answer = ObjectError.Unexpected(exception);
        }

        stream.Answer(operation.Id, answer, isExpected: true);
    }

    /// <summary>Answers operations that will not run, and stops asking for what they awaited.</summary>
    /// <param name="asked">The one whose question has been answered; null if none has.</param>
    /// <param name="dropped">The operations.</param>
    /// <param name="root">The operation that failed.</param>
    /// <param name="error">Its error.</param>
    /// <param name="requests">Gets the commands.</param>
    private void Refuse(
        HeldOperation? asked, IReadOnlyList<HeldOperation> dropped, ulong root, ObjectError error, List<ObjectRequest> requests)
    {
        foreach (var held in dropped)
        {
            if (held != asked)
                requests.Add(new ObjectRequest(new StopFollowing(held.Follow!)));
            var refused = held.Id == root ? error : new ObjectError(
                error.Reason, $"operation {held.Id} was not run, since operation {root} has to succeed before it: {error.Message}")
            {
                Cycle = error.Cycle,
            };
            stream.Answer(held.Id, refused, root, isExpected: true);
        }
    }

    /// <summary>Adds the question for the operation before to the commands.</summary>
    private void Follow(HeldOperation held, long bytes, List<ObjectRequest> requests)
    {
        if (_isClosed)
            return;
        held.Follow = new FollowOperation(held.Root, held.Id, bytes) { Caller = this, Tag = held.Id, Client = stream.Client };
        var own = held.Operation.Request?.SessionId ?? streamSession;
        requests.Add(new ObjectRequest(held.Follow, own == streamSession ? stream.FindSession(held.Root) ?? own : own));
    }

    private static ObjectError Unsuccessful(ObjectOutcome outcome) => new(
        ObjectErrorReason.DependencyFailed, $"it has ended without success, as by its timeout ({outcome.GetType().Name})");

    private static ObjectError Refuse(string message) => new(ObjectErrorReason.Invalid, message) { Field = "after" };

    /// <summary>What has happened to the operations that are held.</summary>
    /// <param name="Id">The held operation whose question was answered.</param>
    /// <param name="Outcome">The answer; null for a cancel.</param>
    /// <param name="Cancelled">The operations that a cancel names.</param>
    private readonly record struct Event(ulong Id, ObjectOutcome? Outcome, IReadOnlyList<ulong>? Cancelled);
}
