namespace Orchestrator.Core.Kernel;

/// <summary>The step that the engine executes: its time, its effects, and the wait that its command began.</summary>
internal sealed class EngineStep
{
    private long _order;

    /// <summary>The time of the step, in ticks of 100 ns; it never decreases.</summary>
    public long Now { get; private set; }

    public ObjectEffects Effects { get; private set; } = new();

    /// <summary>The wait of the command that is being applied, if it waits.</summary>
    public Wait? Begun { get; set; }

    public void Begin(TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        Now = Latest(now);
        Effects = effects;
        Begun = null;
    }

    /// <summary>A clock that seems to run backwards (two cores, two threads) must not move the engine's time back.</summary>
    public long Latest(TimeSpan now) => Math.Max(Now, now.Ticks);

    /// <summary>The time after a span from now; <see cref="long.MaxValue"/>, which is never, beyond the end of time.</summary>
    public long After(TimeSpan span) => span.Ticks > long.MaxValue - Now ? long.MaxValue : Now + span.Ticks;

    /// <summary>A growing number: orders timers that are due at the same instant.</summary>
    public long NextOrder() => ++_order;
}
