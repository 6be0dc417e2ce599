using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>
/// Waits until the object's version differs from this one: until the next change, or not at all if the object has changed, was deleted or
/// is another. Then <c>ObjectEngine.ReadChanges</c> returns the changes. Errors: INVALID, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </summary>
/// <param name="Kind">Dict, list, value or array.</param>
/// <param name="Name">Its name; it need not exist yet.</param>
/// <param name="AfterVersion">The version that is known; 0 while the object does not exist.</param>
public sealed record AwaitStateChange(ObjectKind Kind, string Name, ulong AfterVersion) : WaitingCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectOutcome TimedOut => new StateChangedOutcome(WaitStatus.Timeout, AfterVersion);

    internal override ObjectKind Primitive => ObjectKind.Dict;
}

/// <summary>How a wait for a change ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="Version">The object's version now; 0 where it does not exist.</param>
public sealed record StateChangedOutcome(WaitStatus Status, ulong Version) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;
}

/// <summary>Deletes an object. Another of its name begins with a larger version. Errors: INVALID, NOT_FOUND.</summary>
/// <param name="Kind">Dict, list, value or array.</param>
/// <param name="Name">Its name.</param>
public sealed record DeleteState(ObjectKind Kind, string Name) : ObjectCommand
{
    internal override bool CanBeUndone => false;

    internal override ObjectKind Primitive => ObjectKind.Dict;
}

/// <summary>An object of shared state.</summary>
/// <param name="Kind">Dict, list, value or array.</param>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Count">How many entries, elements or numbers.</param>
/// <param name="Bytes">Keys and values.</param>
public sealed record StateInfo(ObjectKind Kind, string Name, ulong Version, long Count, long Bytes)
{
    /// <summary>How long it survives.</summary>
    public Durability Durability { get; init; } = Durability.Memory;

    /// <summary>The credential of the client that first changed it; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";

    /// <summary>Such as <c>dicts/settings</c>: the order of pages.</summary>
    public string QualifiedName => Kind.Qualify(Name);
}
