namespace Orchestrator.Core.Kernel;

/// <summary>
/// A session waits for tasks. The task engine serves this wait; the object engine records it only to find a cycle through it. It lasts
/// until the host abandons it.
/// </summary>
/// <remarks>Errors: DEADLOCK where one of the tasks waits for what this session holds, LIMIT_EXCEEDED, SESSION_LOST.</remarks>
/// <param name="TaskIds">The tasks; one whose attempt has no session counts as waiting for nothing.</param>
/// <param name="NeedsAll">Whether all of them are waited for, or one of them.</param>
public sealed record JoinTasks(IReadOnlySet<long> TaskIds, bool NeedsAll) : WaitingCommand
{
    // Bytes of an id in the set and in the request.
    private const int IdBytes = 48;

    internal override long ContentBytes => (long)IdBytes * TaskIds.Count;

    internal override ObjectOutcome TimedOut => throw new InvalidOperationException("a wait for tasks has its timeout elsewhere");

    internal override ObjectKind Primitive => ObjectKind.Task;
}

/// <summary>The tasks of one such wait, in place of an object.</summary>
internal sealed class TaskJoin(JoinTasks command, IReadOnlyDictionary<long, List<Session>> sessions)
    : NamedObject(ObjectKind.Task, Describe(command.TaskIds))
{
    public override bool HasWaiters => true;

    public override WaiterQueue Waiters { get; } = new();

    /// <summary>
    /// The sessions of their attempts: an attempt without holds and waits has none. Where one of several tasks is enough, a task without a
    /// session may be that one.
    /// </summary>
    public override void AddBlockers(Wait wait, Blockers blockers)
    {
        if (command.NeedsAll)
        {
            foreach (var session in SessionsOfTasks())
                blockers.AddNeeded(new SessionFlow(session, ""));
        }
        else if (command.TaskIds.All(sessions.ContainsKey))
        {
            // A task is done when all its sessions are; counting only the first finds fewer cycles, and no false ones.
            foreach (var id in command.TaskIds)
                blockers.Add(new SessionFlow(sessions[id][0], ""), 1);
            blockers.Needed = 1;
        }
    }

    private IEnumerable<Session> SessionsOfTasks() => command.TaskIds.Count <= sessions.Count
        ? command.TaskIds.Where(sessions.ContainsKey).SelectMany(id => sessions[id])
        : sessions.Where(task => command.TaskIds.Contains(task.Key)).SelectMany(task => task.Value);

    private static string Describe(IReadOnlySet<long> ids) => ids.Count == 1 ? $"{ids.Min()}" : $"{ids.Min()} and {ids.Count - 1} more";
}
