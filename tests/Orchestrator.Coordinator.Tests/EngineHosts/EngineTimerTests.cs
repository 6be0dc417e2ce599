using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Tests.EngineHosts;

/// <summary>Part 5, 1: the one timer of an engine, with real timers.</summary>
public sealed class EngineTimerTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private readonly MonotonicClock _clock = new(TimeProvider.System);

    public void Dispose() => _clock.Dispose();

    [Fact]
    public async Task A_tick_that_throws_ends_nothing_and_the_next_deadline_is_kept()
    {
        var ticks = 0;
        var second = new TaskCompletionSource();
        EngineTimer? timer = null;
        timer = new EngineTimer(
            _clock,
            () =>
            {
                timer!.OnTick();
                if (++ticks == 2)
                    second.SetResult();
                timer.Arm(_clock.Now);
                throw new InvalidOperationException("a defect");
            },
            NullLogger.Instance);
        timer.Arm(_clock.Now);
        await second.Task.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        timer.Dispose();
    }

    [Fact]
    public async Task The_farthest_deadline_can_be_set_and_an_earlier_one_overtakes_it()
    {
        var fired = new TaskCompletionSource();
        using var timer = new EngineTimer(_clock, fired.SetResult, NullLogger.Instance);
        timer.Arm(TimeSpan.MaxValue - TimeSpan.FromTicks(1));
        timer.Arm(_clock.Now + TimeSpan.FromDays(50));
        timer.Arm(_clock.Now + TimeSpan.FromMilliseconds(1));
        await fired.Task.WaitAsync(s_limit, TestContext.Current.CancellationToken);
    }
}
