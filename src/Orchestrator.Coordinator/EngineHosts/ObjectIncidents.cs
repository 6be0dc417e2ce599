using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>What operators are told of shared objects: refused deadlocks and lost sessions.</summary>
internal sealed class ObjectIncidents(EventLog events, MonotonicClock clock)
{
    private const int Kept = 100;

    private readonly Lock _gate = new();
    private readonly Queue<V1.Deadlock> _deadlocks = new();

    /// <summary>A wait was refused, since it would have closed a cycle.</summary>
    public void OnDeadlock(Core.Kernel.DeadlockCycle cycle)
    {
        // Now: the sessions may have ended by the time of a question.
        var deadlock = new V1.Deadlock
        {
            At = Timestamp.FromDateTimeOffset(clock.ToWallClock(clock.Now.Ticks)),
            Cycle = WaitEdges.ToMessage(cycle),
            Message = cycle.Describe(),
        };
        lock (_gate)
        {
            _deadlocks.Enqueue(deadlock);
            if (_deadlocks.Count > Kept)
                _deadlocks.Dequeue();
        }

        events.Add("deadlock.refused", cycle.Edges[0].ObjectName, deadlock.Message);
    }

    /// <summary>A session has ended. Those of attempts and workers end with these, which have events of their own.</summary>
    public void OnEnded(Session session)
    {
        if (session.End is { Cause: SessionEndCause.Expired } end)
            events.Add("session.lost", session.Alias, $"{session} has ended: {end.Message}");
    }

    /// <summary>The last refused deadlocks, the newest last.</summary>
    public IReadOnlyList<V1.Deadlock> Deadlocks()
    {
        lock (_gate)
            return [.. _deadlocks];
    }
}
