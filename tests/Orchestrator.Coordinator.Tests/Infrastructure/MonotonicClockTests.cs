using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Tests.Infrastructure;

/// <summary>Part 5, 28: the engines' clock omits the time during which its process was stopped.</summary>
public sealed class MonotonicClockTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Time_that_passes_in_small_steps_counts_whole()
    {
        using var clock = new MonotonicClock(_time);
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1_900));
            Assert.Equal(TimeSpan.FromMilliseconds(1_900) * (i + 1) + TimeSpan.FromTicks(1), clock.Now);
        }

        Assert.Equal(_time.GetUtcNow(), clock.ToWallClock(clock.Now.Ticks - 1));
    }

    [Fact]
    public void Pauses_do_not_count_and_wall_clock_times_before_and_after_them_stay_right()
    {
        using var clock = new MonotonicClock(_time);
        var random = new Random(28);
        var marks = new List<(long Engine, DateTimeOffset Wall)>();
        var running = TimeSpan.Zero;
        for (var i = 0; i < 200; i++)
        {
            // Read often while running, as the engine's timer does.
            for (var beats = random.Next(1, 20); beats > 0; beats--)
            {
                _time.Advance(TimeSpan.FromMilliseconds(250));
                running += TimeSpan.FromMilliseconds(250);
                marks.Add((clock.Now.Ticks - 1, _time.GetUtcNow()));
            }

            if (random.Next(4) == 0)
                _time.Advance(TimeSpan.FromSeconds(random.Next(3, 100_000)));
        }

        // A pause is detected by its gap; of the gap only the usual time between two readings counts.
        Assert.InRange(clock.Now - running, TimeSpan.Zero, TimeSpan.FromMilliseconds(250 * 200));
        Assert.All(marks, mark => Assert.InRange(
            (clock.ToWallClock(mark.Engine) - mark.Wall).Duration(), TimeSpan.Zero, TimeSpan.FromMilliseconds(250)));
        Assert.All(marks.Zip(marks.Skip(1)), pair => Assert.True(pair.First.Engine < pair.Second.Engine));
    }

    [Fact]
    public void What_waits_for_others_does_not_count_pauses_either()
    {
        using var clock = new MonotonicClock(_time);
        var heard = clock.Running.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(TimeSpan.FromMilliseconds(500), clock.Running.GetElapsedTime(heard));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.FromMilliseconds(750), clock.Running.GetElapsedTime(heard));
        Assert.Equal(_time.GetUtcNow(), clock.Running.GetUtcNow());
    }

    /// <summary>A clock that the test moves, without timers.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => new(_ticks + TimeSpan.TicksPerDay * 700_000, TimeSpan.Zero);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

        public void Advance(TimeSpan time) => _ticks += time.Ticks;

        private sealed class NoTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
