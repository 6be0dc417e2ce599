using Google.Protobuf;
using Orchestrator.Coordinator.Journal.Wire;
using Orchestrator.Coordinator.Mapping;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Converts changes of durable tasks to records. Used by one thread.</summary>
internal sealed class TaskChangeMapper(JournalClock times, TaskResultMapper results)
{
    private const int MaxPolicies = 1_024;

    // Tasks with equal options share one policy, so it is encoded only once.
    private readonly Dictionary<Core.TaskModel.TaskPolicy, ByteString> _policies = new(ReferenceEqualityComparer.Instance);

    private List<EndedTask> _ended = [];

    /// <summary>The ends since the last call, for the history.</summary>
    public IReadOnlyList<EndedTask> TakeEnded()
    {
        if (_ended.Count == 0)
            return [];
        var ended = _ended;
        _ended = [];
        return ended;
    }

    public Change ToWire(Core.TaskModel.TaskChange change) => change switch
    {
        Core.TaskModel.TaskAccepted accepted => new Change { TaskAccepted = ToWire(accepted) },
        Core.TaskModel.DependencyMet met =>
            new Change { DependencyMet = new DependencyMet { TaskId = (ulong)met.TaskId, Dependency = (ulong)met.DependencyId } },
        Core.TaskModel.TaskAssigned assigned => new Change
        {
            TaskAssigned = new TaskAssigned { TaskId = (ulong)assigned.TaskId, Attempt = assigned.Attempt, Worker = assigned.Worker },
        },
        Core.TaskModel.TaskReturned returned => new Change { TaskReturned = (ulong)returned.TaskId },
        Core.TaskModel.TaskRetried retried =>
            new Change { TaskRetried = new TaskRetried { TaskId = (ulong)retried.TaskId, Failed = ToWire(retried.Failed) } },
        Core.TaskModel.TaskCancelRequested cancelled => new Change { TaskCancelRequested = (ulong)cancelled.TaskId },
        Core.TaskModel.TaskEnded ended => new Change { TaskEnded = ToWire(ended) },
        Core.TaskModel.TaskForgotten forgotten => new Change { TaskForgotten = (ulong)forgotten.TaskId },
        _ => throw new InvalidOperationException($"there is no record for {change}"),
    };

    private TaskAccepted ToWire(Core.TaskModel.TaskAccepted accepted)
    {
        var submission = accepted.Submission;
        return new TaskAccepted
        {
            TaskId = (ulong)accepted.TaskId,
            Handler = submission.Handler,
            Options = Encode(submission.Policy),
            Input = submission.Input as ByteString ?? ByteString.Empty,
            Tag = submission.Tag,
            RequestId = submission.RequestId,
            Traceparent = submission.TraceParent ?? "",
            AcceptedAt = times.ToJournal(accepted.AcceptedAt),
        };
    }

    private FailedAttempt ToWire(Core.TaskModel.AttemptSummary failed) => new()
    {
        Number = failed.Number,
        Worker = failed.Worker,
        StartedAt = times.ToJournalOrNone(failed.StartedAt),
        RunTicks = failed.RunTicks,
        Error = WorkerMessageMapper.ToError(failed.Failure),
    };

    private TaskEnded ToWire(Core.TaskModel.TaskEnded ended)
    {
        var end = ended.End;
        var message = new TaskEnded
        {
            TaskId = (ulong)ended.TaskId,
            State = (V1.TaskState)(int)end.State,
            Attempt = end.Attempt,
            Worker = end.Worker,
            StartedAt = times.ToJournalOrNone(end.StartedAt),
            EndedAt = times.ToJournalOrNone(end.EndedAt),
            RunTicks = end.RunTicks,
            Error = end.Failure is { } failure ? WorkerMessageMapper.ToError(failure) : null,
        };
        if (end.Output is ByteString output)
            message.Output = output;
        var info = results.ToInfo(ended.Task, withOutput: false);
        _ended.Add(new EndedTask(message.TaskId, message.EndedAt, info.ToByteArray()));
        return message;
    }

    private ByteString Encode(Core.TaskModel.TaskPolicy policy)
    {
        if (_policies.TryGetValue(policy, out var known))
            return known;
        if (_policies.Count >= MaxPolicies)
            _policies.Clear();
        return _policies[policy] = TaskPolicyMapper.ToOptions(policy).ToByteString();
    }
}
