using System.Diagnostics;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// The behaviour of one primitive: it executes the commands of its kind and handles what happens to its objects, their waits and their
/// holders. It sees only its objects and the <see cref="IPrimitiveContext"/>, whose remarks state the invariants that it must keep.
/// </summary>
internal abstract class PrimitiveMachine(IPrimitiveContext context)
{
    protected IPrimitiveContext Context => context;

    /// <summary>Its first objects whose names come after this one, see <see cref="ObjectMap{T}.After"/>.</summary>
    public virtual IReadOnlyList<NamedObject> ObjectsAfter(string name, int maximum) => [];

    /// <summary>Executes a command: <see cref="IPrimitiveContext.Complete"/> once, or <see cref="IPrimitiveContext.Suspend"/>.</summary>
    public abstract void Apply(ObjectCommand command);

    /// <summary>Undoes the grant of a command whose outcome could not be delivered, if it was granted anything.</summary>
    public virtual void Undo(ObjectCommand command, ObjectOutcome outcome)
    {
    }

    /// <summary>The wait's timeout has passed. By default it ends with the command's <see cref="WaitingCommand.TimedOut"/>.</summary>
    public virtual void OnTimeout(Wait wait)
    {
        context.Resume(wait, wait.Command.TimedOut);
        OnWaiterLeft(wait);
    }

    /// <summary>
    /// A wait has left without having been served: serve the waits that it blocked, and drop the object if it is no longer needed. Also
    /// called for an object that has been dropped in the meantime.
    /// </summary>
    public abstract void OnWaiterLeft(Wait wait);

    /// <summary>The holder's session has ended: take the hold from it (<see cref="IPrimitiveContext.RemoveHold"/>) and settle it.</summary>
    public virtual void OnHolderEnded(Hold hold) => context.RemoveHold(hold);

    /// <summary>A timer of one of its objects is due; it has already been removed from the engine's heap.</summary>
    public virtual void OnTimer(ObjectTimer timer)
    {
    }

    /// <summary>The session of a wait, for messages.</summary>
    protected static string FormatSession(Session? session) => session?.ToString() ?? "a waiter without a session";

    /// <summary>A command reached the machine of another primitive, which is a defect.</summary>
    protected static UnreachableException NotMine(ObjectCommand command) =>
        new($"{command.GetType().Name} is not a command of this primitive");

    /// <summary>The error in the lease that a request without a session may have; null if it is valid.</summary>
    protected ObjectError? ValidateLease(ObjectCommand command, TimeSpan? lease)
    {
        if (lease is null)
            return null;
        return command.Session is null
            ? context.ValidateTtl("lease", lease)
            : ObjectError.Invalid("lease", "a lease is for requests without session_id; a session's holds live as long as the session");
    }

    /// <summary>Schedules a call of <see cref="OnTimer"/> for the object after this time.</summary>
    protected void SetTimer(NamedObject target, ref ReevaluationTimer? timer, TimeSpan after)
    {
        timer ??= new ReevaluationTimer(context.NextOrder(), target);
        context.SetTimer(timer, context.After(after));
    }

    protected void StopTimer(ReevaluationTimer? timer)
    {
        if (timer is not null)
            context.ClearTimer(timer);
    }

    /// <summary>
    /// An object was used. If it is idle, its idle time starts now, and it is dropped after <see cref="IPrimitiveContext.IdleTtl"/>.
    /// </summary>
    protected internal void ScheduleIdleExpiry(bool idle, NamedObject target, ref ReevaluationTimer? timer)
    {
        if (idle)
            SetTimer(target, ref timer, context.IdleTtl);
        else
            StopTimer(timer);
    }
}
