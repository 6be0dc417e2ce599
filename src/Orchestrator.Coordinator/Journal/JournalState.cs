using Google.Protobuf;
using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The result of applying the records so far: the durable state without an engine. A start passes it to the engines, and snapshots are
/// written from it. A record that does not fit its predecessors means a damaged journal.
/// </summary>
internal sealed class JournalState
{
    private readonly Dictionary<string, RequestAnswered> _requests = [];
    private readonly Queue<RequestAnswered> _requestsByAge = new();

    private readonly Queue<TaskRequest> _forgotten = new();

    // The same number as the engine remembers.
    private const int MaxRequests = 100_000;
    private const long MaxRequestBytes = 32L << 20;

    private long _requestBytes;

    /// <summary>Queues by name.</summary>
    public Dictionary<string, JournaledQueue> Queues { get; } = [];

    /// <summary>Dicts, lists, values and arrays by kind and name.</summary>
    public Dictionary<(V1.StateKind Kind, string Name), JournaledState> States { get; } = [];

    /// <summary>Tasks by id.</summary>
    public SortedDictionary<ulong, JournaledTask> Tasks { get; } = [];

    /// <summary>The version at which new state objects start.</summary>
    public ulong StateFloor { get; private set; }

    /// <summary>Answered requests, oldest first.</summary>
    public IEnumerable<RequestAnswered> Requests => _requestsByAge;

    /// <summary>Request ids whose tasks are no longer kept, oldest first.</summary>
    public IEnumerable<TaskRequest> ForgottenTasks => _forgotten;

    /// <summary>Applies a record that was read from the journal.</summary>
    /// <exception cref="JournalException">It does not fit.</exception>
    public void Apply(ulong position, ArraySegment<byte> bytes)
    {
        try
        {
            Apply(JournalMessages.Parse(Record.Parser, bytes));
        }
        catch (Exception exception)
            when (exception is InvalidProtocolBufferException or KeyNotFoundException or ArgumentException or JournalException
                                              or NullReferenceException or OverflowException)
        {
            throw new JournalException(
                $"record {position} does not fit what came before it ({exception.Message.TrimEnd('.')}): the journal is damaged, or of a " +
                "later version", exception);
        }
    }

    /// <summary>Applies a record.</summary>
    public void Apply(Record record)
    {
        foreach (var change in record.Changes)
            Apply(change);
    }

    /// <summary>The records that rebuild this state from nothing.</summary>
    public IEnumerable<Record> ToRecords()
    {
        if (StateFloor > 0)
            yield return Of(new Change { StateFloor = StateFloor });
        foreach (var queue in Queues.Values)
        {
            foreach (var change in queue.ToChanges())
                yield return Of(change);
        }

        foreach (var state in States.Values)
        {
            foreach (var change in state.ToChanges())
                yield return Of(change);
        }

        foreach (var request in Requests)
            yield return Of(new Change { RequestAnswered = request });
        foreach (var request in _forgotten)
            yield return Of(new Change { TaskRequest = request });
        foreach (var task in Tasks.Values)
        {
            var record = new Record();
            record.Changes.AddRange(task.ToChanges());
            yield return record;
        }
    }

    private static Record Of(Change change) => new() { Changes = { change } };

    private void Apply(Change change)
    {
        switch (change.ChangeCase)
        {
            case Change.ChangeOneofCase.QueueCreated:
                Queues.Add(change.QueueCreated.Name, new JournaledQueue(change.QueueCreated));
                break;
            case Change.ChangeOneofCase.QueueOwned:
                Queues[change.QueueOwned.Queue].Owner = change.QueueOwned.Owner;
                break;
            case Change.ChangeOneofCase.QueueDropped:
                Require(Queues.Remove(change.QueueDropped), $"there is no queue {change.QueueDropped}");
                break;
            case Change.ChangeOneofCase.QueueChanged:
                Queues[change.QueueChanged.Queue].Apply(change.QueueChanged);
                break;
            case Change.ChangeOneofCase.StateBegun:
                States.Add((change.StateBegun.Kind, change.StateBegun.Name), new JournaledState(change.StateBegun));
                break;
            case Change.ChangeOneofCase.StateKept:
                States.TryAdd((change.StateKept.Begun.Kind, change.StateKept.Begun.Name), new JournaledState(change.StateKept.Begun));
                States[(change.StateKept.Begun.Kind, change.StateKept.Begun.Name)].Add(change.StateKept);
                break;
            case Change.ChangeOneofCase.StateEdited:
                States[(change.StateEdited.Kind, change.StateEdited.Name)].Apply(change.StateEdited);
                break;
            case Change.ChangeOneofCase.EntryLives:
                States[(V1.StateKind.Dict, change.EntryLives.Dict)].SetUntil(change.EntryLives.Key, change.EntryLives.Until);
                break;
            case Change.ChangeOneofCase.ArrayTyped:
                States[(V1.StateKind.Array, change.ArrayTyped.Array)].IsReal = change.ArrayTyped.Real;
                break;
            case Change.ChangeOneofCase.StateDeleted:
                Require(States.Remove((change.StateDeleted.Kind, change.StateDeleted.Name)),
                    $"there is no {change.StateDeleted.Kind} {change.StateDeleted.Name}");
                StateFloor = Math.Max(StateFloor, change.StateDeleted.Floor);
                break;
            case Change.ChangeOneofCase.StateFloor:
                StateFloor = change.StateFloor;
                break;
            case Change.ChangeOneofCase.RequestAnswered:
                Remember(change.RequestAnswered);
                break;
            default:
                ApplyTask(change);
                break;
        }
    }

    private void ApplyTask(Change change)
    {
        switch (change.ChangeCase)
        {
            case Change.ChangeOneofCase.TaskAccepted:
                Tasks.Add(change.TaskAccepted.TaskId, new JournaledTask(change.TaskAccepted));
                break;
            case Change.ChangeOneofCase.DependencyMet:
                Tasks[change.DependencyMet.TaskId].Met.Add(change.DependencyMet.Dependency);
                break;
            case Change.ChangeOneofCase.TaskAssigned:
                Tasks[change.TaskAssigned.TaskId].Worker = change.TaskAssigned.Worker;
                break;
            case Change.ChangeOneofCase.TaskReturned:
                Tasks[change.TaskReturned].Worker = null;
                break;
            case Change.ChangeOneofCase.TaskRetried:
                Tasks[change.TaskRetried.TaskId].Retry(change.TaskRetried.Failed);
                break;
            case Change.ChangeOneofCase.TaskCancelRequested:
                Tasks[change.TaskCancelRequested].IsCancelled = true;
                break;
            case Change.ChangeOneofCase.TaskEnded:
                Tasks[change.TaskEnded.TaskId].Finish(change.TaskEnded);
                break;
            case Change.ChangeOneofCase.TaskForgotten:
                Require(Tasks.Remove(change.TaskForgotten, out var forgotten), $"there is no task {change.TaskForgotten}");
                Remember(forgotten!.Accepted);
                break;
            case Change.ChangeOneofCase.TaskRequest:
                _forgotten.Enqueue(change.TaskRequest);
                break;
            default:
                throw new JournalException("it is of a kind that this build does not know");
        }
    }

    private void Remember(RequestAnswered request)
    {
        _requests[request.RequestId] = request;
        _requestsByAge.Enqueue(request);
        _requestBytes += request.CalculateSize();
        while (_requestsByAge.Count > MaxRequests || _requestBytes > MaxRequestBytes)
        {
            var oldest = _requestsByAge.Dequeue();
            _requestBytes -= oldest.CalculateSize();
            if (_requests.TryGetValue(oldest.RequestId, out var found) && ReferenceEquals(found, oldest))
                _requests.Remove(oldest.RequestId);
        }
    }

    /// <summary>Remembers a forgotten task's request id: if the client sends it again, the task must not run again.</summary>
    private void Remember(TaskAccepted forgotten)
    {
        if (forgotten.RequestId.Length == 0)
            return;
        _forgotten.Enqueue(
            new TaskRequest { RequestId = forgotten.RequestId, TaskId = forgotten.TaskId, AcceptedAt = forgotten.AcceptedAt });
        if (_forgotten.Count > MaxRequests)
            _forgotten.Dequeue();
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new JournalException(otherwise);
    }
}
