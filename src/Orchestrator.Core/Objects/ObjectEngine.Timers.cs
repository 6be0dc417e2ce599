namespace Orchestrator.Core.Objects;

/// <summary>Objects that time changes: by what it brings, or because nobody has used them for long.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>A number that grows: the order of timers that are due at the same instant.</summary>
    internal long NextOrder() => ++_sequence;

    /// <summary>Sets when the timer is due, whether it was set or not; <see cref="long.MaxValue"/> is never.</summary>
    internal void SetTimer(ObjectTimer timer, long deadline) => _deadlines.Set(timer, deadline);

    internal void ClearTimer(ObjectTimer timer) => _deadlines.Remove(timer);

    /// <summary>Lets the object's <see cref="NamedObject.OnTimer"/> be called after so many ticks.</summary>
    internal void SetTimer(NamedObject target, ref ReevaluationTimer? timer, TimeSpan after)
    {
        timer ??= new ReevaluationTimer(++_sequence, target);
        _deadlines.Set(timer, After(after));
    }

    internal void StopTimer(ReevaluationTimer? timer)
    {
        if (timer is not null)
            _deadlines.Remove(timer);
    }

    /// <summary>An object was used: from now on it counts as idle, if it is, and goes when it has been for the whole of <see cref="ObjectEngineOptions.IdleTtl"/>.</summary>
    internal void ScheduleIdleExpiry(bool idle, NamedObject target, ref ReevaluationTimer? timer)
    {
        if (idle)
            SetTimer(target, ref timer, _options.IdleTtl);
        else
            StopTimer(timer);
    }

    /// <summary>Whose wait it is, for messages.</summary>
    internal static string FormatSession(Sessions.Session? session) => session?.ToString() ?? "a waiter without a session";
}
