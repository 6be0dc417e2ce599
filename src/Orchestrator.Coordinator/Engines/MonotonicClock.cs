namespace Orchestrator.Coordinator.Engines;

/// <summary>
/// The engine's clock: monotonic time since the coordinator started, and what wall-clock time that was. Leases and timeouts never see the wall
/// clock, which may jump.
/// </summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    /// <summary>Time since the start; never zero, since the engine's zero means "not yet".</summary>
    public TimeSpan Now => time.GetElapsedTime(_origin) + TimeSpan.FromTicks(1);

    /// <summary>When the coordinator started.</summary>
    public DateTimeOffset StartedAt => _startedAt;

    /// <summary>The provider behind it, for timers.</summary>
    public TimeProvider Provider => time;

    /// <summary>The wall-clock time of an engine time in ticks.</summary>
    public DateTimeOffset ToWallClock(long engineTicks) => _startedAt.AddTicks(engineTicks);
}
