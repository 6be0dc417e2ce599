using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Events;

/// <summary>Waits until an event is set; returns at once if it is. Errors: INVALID, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.</summary>
/// <param name="Event">Its name.</param>
public sealed record WaitEvent(string Event) : WaitingCommand
{
    internal override ObjectOutcome TimedOut => WaitEventOutcome.TimedOut;

    internal override ObjectKind Primitive => ObjectKind.Event;
}

/// <summary>How a wait for an event ended.</summary>
/// <param name="Status">Ok or timeout.</param>
public sealed record WaitEventOutcome(WaitStatus Status) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal static WaitEventOutcome Ok { get; } = new(WaitStatus.Ok);

    internal static WaitEventOutcome TimedOut { get; } = new(WaitStatus.Timeout);
}

/// <summary>Sets an event, which wakes all its waiters, or clears it. Errors: INVALID, LIMIT_EXCEEDED, SESSION_LOST.</summary>
/// <param name="Event">Its name.</param>
/// <param name="Set">False clears it.</param>
public sealed record SetEvent(string Event, bool Set) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Event;
}

/// <summary>An event was set or cleared.</summary>
/// <param name="WasSet">Whether it was set before.</param>
public sealed record SetEventOutcome(bool WasSet) : ObjectOutcome
{
    internal static SetEventOutcome Was { get; } = new(true);

    internal static SetEventOutcome WasNot { get; } = new(false);
}
