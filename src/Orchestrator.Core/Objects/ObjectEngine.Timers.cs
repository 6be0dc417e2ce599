namespace Orchestrator.Core.Objects;

/// <summary>What objects do in time.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>A number that grows: the order of timers that are due at the same instant.</summary>
    internal long NextOrder() => ++_sequence;

    /// <summary>Sets when the timer is due, whether it was set or not; <see cref="long.MaxValue"/> is never.</summary>
    internal void SetTimer(ObjectTimer timer, long deadline) => _deadlines.Set(timer, deadline);

    internal void ClearTimer(ObjectTimer timer) => _deadlines.Remove(timer);
}
