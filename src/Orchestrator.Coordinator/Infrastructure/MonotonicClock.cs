namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// The engine's clock: monotonic time during which this process could run, and its mapping to wall-clock time. Leases and timeouts never
/// see the wall clock, which may jump, nor time in which the process was stopped (SIGSTOP, a suspended machine), when no sign of life could
/// have reached it.
/// </summary>
/// <remarks>
/// The clock is read at least every <see cref="BeatEvery"/>, so a gap of <see cref="Pause"/> between two readings is a pause of the
/// process, whichever thread reads first afterwards.
/// </remarks>
internal sealed class MonotonicClock : IDisposable
{
    /// <summary>The longest interval between two readings, however idle the coordinator is.</summary>
    private static readonly TimeSpan BeatEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>The smallest gap that counts as a stopped, rather than slow, process: a loaded machine delays a timer for less.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly Lock _gate = new();
    private readonly ITimer _beat;
    private long _lastRaw;
    private Pauses _pauses = Pauses.None;

    public MonotonicClock(TimeProvider time)
    {
        _time = time;
        Running = new RunningTime(this);
        _origin = time.GetTimestamp();
        StartedAt = time.GetUtcNow();
        _beat = time.CreateTimer(static state => _ = ((MonotonicClock)state!).Now, this, BeatEvery, BeatEvery);
    }

    /// <summary>Time since the start, minus the pauses; never zero, since zero means "not yet" to the engine.</summary>
    public TimeSpan Now
    {
        get
        {
            var raw = _time.GetElapsedTime(_origin).Ticks;
            var last = Volatile.Read(ref _lastRaw);
            if (raw - last >= Pause.Ticks)
                Skip(raw);
            else if (raw > last)
                Volatile.Write(ref _lastRaw, raw);
            return TimeSpan.FromTicks(raw - Volatile.Read(ref _pauses).Total + 1);
        }
    }

    /// <summary>When the coordinator started.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The underlying time provider, for timers.</summary>
    public TimeProvider Provider => _time;

    /// <summary>
    /// The same provider with timestamps that exclude the pauses: for code that judges peers by their silence or sets them a time limit.
    /// </summary>
    public TimeProvider Running { get; }

    /// <summary>The wall-clock time of an engine time in ticks; for a future time, provided that no further pause occurs.</summary>
    public DateTimeOffset ToWallClock(long engineTicks) => StartedAt.AddTicks(engineTicks + PausedBefore(engineTicks));

    /// <summary>How long the process was stopped before an engine time, in ticks.</summary>
    public long PausedBefore(long engineTicks) => Volatile.Read(ref _pauses).Before(engineTicks);

    public void Dispose() => _beat.Dispose();

    private void Skip(long raw)
    {
        lock (_gate)
        {
            var gap = raw - Volatile.Read(ref _lastRaw);
            // Another thread may have recorded the pause first.
            if (gap < Pause.Ticks)
                return;
            var pauses = _pauses;
            // The usual interval between two readings did elapse.
            var paused = gap - BeatEvery.Ticks;
            Volatile.Write(ref _pauses, pauses.With(raw - gap + BeatEvery.Ticks - pauses.Total, paused));
            Volatile.Write(ref _lastRaw, raw);
        }
    }

    private sealed class RunningTime(MonotonicClock clock) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override TimeZoneInfo LocalTimeZone => clock._time.LocalTimeZone;

        public override long GetTimestamp() => clock.Now.Ticks;

        public override DateTimeOffset GetUtcNow() => clock._time.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock._time.CreateTimer(callback, state, dueTime, period);
    }

    /// <summary>The pauses so far, by the engine times at which they occurred; replaced as a whole.</summary>
    private sealed class Pauses(long total, (long At, long Total)[] list)
    {
        public static readonly Pauses None = new(0, []);

        public long Total => total;

        public Pauses With(long at, long length) => new(total + length, [.. list, (at, total + length)]);

        public long Before(long engineTicks)
        {
            for (var i = list.Length - 1; i >= 0; i--)
            {
                if (list[i].At <= engineTicks)
                    return list[i].Total;
            }

            return 0;
        }
    }
}
