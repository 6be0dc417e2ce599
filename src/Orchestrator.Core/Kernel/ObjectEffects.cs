using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// The work that the host has to do after a command, as data. One instance is reused under the engine's lock: take its contents, then
/// <see cref="Clear"/> it.
/// </summary>
public sealed class ObjectEffects
{
    /// <summary>Outcomes to deliver to their callers, in the order in which they arose. The command's own outcomes come first.</summary>
    public List<ObjectDelivery> Outcomes { get; } = [];

    /// <summary>Notices for sessions that still listen.</summary>
    public List<ObjectNotice> Notices { get; } = [];

    /// <summary>Sessions that have ended; nothing is granted to them any more.</summary>
    public List<Session> EndedSessions { get; } = [];

    /// <summary>Cycles of waits that were refused.</summary>
    public List<DeadlockCycle> Deadlocks { get; } = [];

    /// <summary>Whether the host wants <see cref="EndedWaits"/>; set by it between commands.</summary>
    public bool ListsWaits { get; set; }

    /// <summary>Waits of tasks' attempts that have ended, if <see cref="ListsWaits"/>.</summary>
    public List<EndedWait> EndedWaits { get; } = [];

    /// <summary>Changes of durable objects, in order: to be written before the outcomes are sent.</summary>
    public List<ObjectChange> Changes { get; } = [];

    /// <summary>The highest durability among <see cref="Changes"/>; all of them are written with it.</summary>
    public Durability Level { get; internal set; } = Durability.Memory;

    /// <summary>An outcome may report the state of a durable object: it must not be sent before earlier changes are written.</summary>
    public bool SpeaksOfDurable { get; internal set; }

    /// <summary>Empties it for the next command.</summary>
    public void Clear()
    {
        Outcomes.Clear();
        Notices.Clear();
        EndedSessions.Clear();
        Deadlocks.Clear();
        EndedWaits.Clear();
        ClearChanges();
    }

    /// <summary>Drops the changes after the host has taken them.</summary>
    public void ClearChanges()
    {
        Changes.Clear();
        Level = Durability.Memory;
        SpeaksOfDurable = false;
    }
}

/// <summary>The one outcome of a command.</summary>
/// <param name="Caller">The caller that the command named; null where no caller wants the outcome.</param>
/// <param name="Tag">Which of the caller's operations it belongs to.</param>
/// <param name="Outcome">The result.</param>
/// <param name="Granted">
/// The command, through which an undeliverable grant is returned (<see cref="CompensateDelivery"/>); null where there is nothing to return,
/// as for an outcome that was delivered before.
/// </param>
public readonly record struct ObjectDelivery(object? Caller, ulong Tag, ObjectOutcome Outcome, ObjectCommand? Granted = null);

/// <summary>An unsolicited notice for a session.</summary>
/// <param name="Session">The session to notify.</param>
/// <param name="Reason">Why.</param>
/// <param name="ObjectName">The object concerned, such as <c>locks/build</c>; empty for the session itself.</param>
/// <param name="Message">For people.</param>
public readonly record struct ObjectNotice(Session Session, ObjectErrorReason Reason, string ObjectName, string Message);

/// <summary>A wait of a task's attempt that has ended.</summary>
/// <param name="Task">The attempt.</param>
/// <param name="ObjectName">What it waited for, such as <c>locks/build</c>.</param>
/// <param name="Since">When it began, on the engine's clock, in ticks of 100 ns.</param>
/// <param name="Until">When it ended.</param>
/// <param name="Outcome">What it got; null where the caller has left.</param>
public readonly record struct EndedWait(SessionTask Task, string ObjectName, long Since, long Until, ObjectOutcome? Outcome);
