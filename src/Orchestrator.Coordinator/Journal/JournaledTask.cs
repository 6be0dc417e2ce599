using Google.Protobuf;
using Orchestrator.Coordinator.Journal.Wire;

namespace Orchestrator.Coordinator.Journal;

/// <summary>The state of one task after the records so far.</summary>
internal sealed class JournaledTask(TaskAccepted accepted)
{
    private List<ulong>? _met;
    private List<FailedAttempt>? _attempts;

    public TaskAccepted Accepted => accepted;

    /// <summary>Dependencies that are met.</summary>
    public List<ulong> Met => _met ??= [];

    /// <summary>Failed attempts that were retried.</summary>
    public IReadOnlyList<FailedAttempt> Attempts => _attempts ?? (IReadOnlyList<FailedAttempt>)[];

    /// <summary>The worker that holds the current attempt; null if none does.</summary>
    public string? Worker { get; set; }

    public bool IsCancelled { get; set; }

    public TaskEnded? End { get; private set; }

    public void Retry(FailedAttempt failed)
    {
        (_attempts ??= []).Add(failed);
        Worker = null;
    }

    public void Finish(TaskEnded ended)
    {
        End = ended;
        Worker = null;
        accepted.Input = ByteString.Empty;
    }

    public IEnumerable<Change> ToChanges()
    {
        yield return new Change { TaskAccepted = accepted };
        foreach (var dependency in Met)
            yield return new Change { DependencyMet = new DependencyMet { TaskId = accepted.TaskId, Dependency = dependency } };
        foreach (var failed in Attempts)
            yield return new Change { TaskRetried = new TaskRetried { TaskId = accepted.TaskId, Failed = failed } };
        if (Worker is { } worker)
            yield return new Change
            {
                TaskAssigned =
                new TaskAssigned { TaskId = accepted.TaskId, Attempt = Attempts.Count + 1, Worker = worker }
            };
        if (IsCancelled)
            yield return new Change { TaskCancelRequested = accepted.TaskId };
        if (End is not null)
            yield return new Change { TaskEnded = End };
    }
}
