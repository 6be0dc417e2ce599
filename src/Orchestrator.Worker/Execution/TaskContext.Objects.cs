using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Client;
using Orchestrator.Contracts;

namespace Orchestrator.Worker;

/// <summary>What processes share, reached through the attempt's own session.</summary>
public sealed partial class TaskContext
{
    private ObjectSession? _session;

    /// <summary>The session that owns what the task acquires at the coordinator; it ends with the attempt, whatever happens to it.</summary>
    public string SessionId => _assignment.SessionId.Length > 0 ? _assignment.SessionId : $"{ProtocolConstants.TaskSessionPrefix}{TaskId}-{Attempt}";

    /// <summary>
    /// The attempt's session: locks, semaphores, events and whatever else processes share. Made when it is first asked for, over the one stream that all
    /// tasks of this process use.
    /// </summary>
    /// <exception cref="InvalidOperationException">This process has no coordinator to reach.</exception>
    public ObjectSession Session
    {
        get
        {
            if (Volatile.Read(ref _session) is { } session)
                return session;
            var gateway = _executor.Services.GetService<ObjectGateway>()
                ?? throw new InvalidOperationException("this process has no way to its coordinator's objects");
            session = gateway.SessionOf(SessionId);
            if (Interlocked.CompareExchange(ref _session, session, null) is not { } other)
                return session;
            session.Detach();
            return other;
        }
    }
}
