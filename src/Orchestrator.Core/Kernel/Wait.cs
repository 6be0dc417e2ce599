using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// A waiting command: a link of an object's waiting list and of its session's. The host keeps it only to
/// abandon it when the caller disconnects.
/// </summary>
public sealed class Wait : DeadlineNode
{
    internal WaiterQueue? List;
    internal Wait? Previous;
    internal Wait? Next;
    internal Wait? SessionPrevious;
    internal Wait? SessionNext;

    internal Wait(long order, WaitingCommand command, Session? session, NamedObject @object, long since)
        : base(order)
    {
        Command = command;
        Session = session;
        Object = @object;
        Since = since;
        Caller = command.Caller;
        Tag = command.Tag;
    }

    /// <summary>The waiting session; null where the command named none.</summary>
    public Session? Session { get; }

    /// <summary>The session's flow that waits. Only for a wait that has a session.</summary>
    internal SessionFlow Flow => new(Session!, Command.Flow);

    /// <summary>Whether it still waits. If not, its outcome has been delivered, or it was abandoned.</summary>
    public bool IsActive => List is not null;

    /// <summary>The waiting command.</summary>
    internal WaitingCommand Command { get; }

    /// <summary>The object that it waits for now.</summary>
    internal NamedObject Object { get; set; }

    /// <summary>When it began, on the engine's clock, in ticks of 100 ns.</summary>
    internal long Since { get; }

    /// <summary>The receiver of the outcome: the command's caller, until another caller sends the same operation again.</summary>
    internal object? Caller { get; set; }

    internal ulong Tag { get; set; }

    /// <summary>Callers that sent the same request during the wait, and get the outcome as well.</summary>
    internal List<(object? Caller, ulong Tag)>? Others { get; set; }

    /// <summary>What awaits its end, in the order in which it was asked for.</summary>
    internal List<FollowOperation>? Followers { get; set; }

    /// <summary>How many of them have been stopped, and are in the list still.</summary>
    internal int StoppedFollowers { get; set; }

    /// <summary>One of several callers leaves; false where it is the only one, or none.</summary>
    internal bool LeaveToOthers(object? caller)
    {
        if (Others is not { Count: > 0 } others)
            return false;
        if (ReferenceEquals(Caller, caller))
        {
            (Caller, Tag) = others[0];
            others.RemoveAt(0);
            return true;
        }

        return others.RemoveAll(other => ReferenceEquals(other.Caller, caller)) > 0;
    }

    /// <summary>The primitive's data for a wait that has several steps, such as how deep a condition's lock was held.</summary>
    internal object? Progress { get; set; }
}

/// <summary>Waits in the order in which they are served.</summary>
internal sealed class WaiterQueue
{
    public Wait? First { get; private set; }

    public Wait? Last { get; private set; }

    public int Count { get; private set; }

    /// <summary>Adds at the end, or behind <paramref name="after"/>.</summary>
    public void Add(Wait wait, Wait? after = null)
    {
        after ??= Last;
        wait.List = this;
        wait.Previous = after;
        wait.Next = after?.Next;
        if (wait.Next is { } next)
            next.Previous = wait;
        else
            Last = wait;
        if (after is null)
            First = wait;
        else
            after.Next = wait;
        Count++;
    }

    public void Remove(Wait wait)
    {
        if (wait.Previous is { } previous)
            previous.Next = wait.Next;
        else
            First = wait.Next;
        if (wait.Next is { } next)
            next.Previous = wait.Previous;
        else
            Last = wait.Previous;
        wait.List = null;
        wait.Previous = wait.Next = null;
        Count--;
    }
}
