namespace Orchestrator.Core.TaskModel;

/// <summary>
/// The submitter of tasks and receiver of their results: a stream or a call. The engine links the unfinished tasks of an owner, so that its
/// disappearance is one command.
/// </summary>
public abstract class TaskOwner
{
    /// <summary>Whether the tasks continue when the owner disconnects, instead of being cancelled.</summary>
    public bool DetachOnDisconnect { get; init; }

    /// <summary>Whether the first task that does not succeed cancels the rest.</summary>
    public bool FailFast { get; init; }

    /// <summary>Whether results carry processor time and allocations.</summary>
    public bool WantsTiming { get; init; }

    /// <summary>Whether the owner gets progress, partial outputs and log lines as they arrive.</summary>
    public bool WantsEvents { get; init; }

    /// <summary>How many tasks of this owner have no end state yet.</summary>
    public int Unfinished { get; internal set; }

    internal TaskRecord? FirstTask { get; set; }

    internal bool IsAbandoned { get; set; }

    internal bool FailedFast { get; set; }

    internal void Link(TaskRecord task)
    {
        task.Owner = this;
        task.OwnerPrevious = null;
        task.OwnerNext = FirstTask;
        if (FirstTask is { } first)
            first.OwnerPrevious = task;
        FirstTask = task;
        Unfinished++;
    }

    internal void Unlink(TaskRecord task)
    {
        if (task.OwnerPrevious is { } previous)
            previous.OwnerNext = task.OwnerNext;
        else
            FirstTask = task.OwnerNext;
        if (task.OwnerNext is { } next)
            next.OwnerPrevious = task.OwnerPrevious;
        task.OwnerPrevious = task.OwnerNext = null;
        Unfinished--;
    }
}

/// <summary>A receiver of events of tasks that it does not own: a watch or a wait.</summary>
public abstract class TaskWatcher
{
    /// <summary>Whether only end states matter to this watcher.</summary>
    public bool EndsOnly { get; init; }
}
