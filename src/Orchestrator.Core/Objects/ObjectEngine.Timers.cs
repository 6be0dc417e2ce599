namespace Orchestrator.Core.Objects;

/// <summary>Objects that change with time: through their own timers or because they have been idle for too long.</summary>
public sealed partial class ObjectEngine
{
    /// <summary>A growing number: orders timers that are due at the same instant.</summary>
    internal long NextOrder() => ++_sequence;

    /// <summary>Sets when the timer is due, whether or not it was set before; <see cref="long.MaxValue"/> means never.</summary>
    internal void SetTimer(ObjectTimer timer, long deadline) => _deadlines.Set(timer, deadline);

    internal void ClearTimer(ObjectTimer timer) => _deadlines.Remove(timer);

    /// <summary>Schedules a call of the object's <see cref="NamedObject.OnTimer"/> after this time.</summary>
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

    /// <summary>
    /// An object was used. If it is idle, its idle time starts now, and it is dropped after
    /// <see cref="ObjectEngineOptions.IdleTtl"/>.
    /// </summary>
    internal void ScheduleIdleExpiry(bool idle, NamedObject target, ref ReevaluationTimer? timer)
    {
        if (idle)
            SetTimer(target, ref timer, _options.IdleTtl);
        else
            StopTimer(timer);
    }

    /// <summary>The session of a wait, for messages.</summary>
    internal static string FormatSession(Sessions.Session? session) => session?.ToString() ?? "a waiter without a session";
}
