using Microsoft.Extensions.Logging;

namespace Orchestrator.Coordinator.Engines;

/// <summary>
/// The one timer of an engine. It fires at the engine's next deadline or earlier, never later: an early one finds nothing due and is armed again. Called under
/// the engine's lock, but for its callback.
/// </summary>
internal sealed partial class EngineTimer : IDisposable
{
    // A deadline can be due at once; a timer of zero would fire in a loop while another thread holds the lock.
    private static readonly TimeSpan s_shortest = TimeSpan.FromMilliseconds(1);

    // A timer of .NET takes at most 2^32 - 2 ms, some 49.7 days, while deadlines may lie years ahead. One early firing a day costs nothing.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(1);

    private readonly MonotonicClock _clock;
    private readonly ILogger _logger;
    private readonly Action _tick;
    private readonly ITimer _timer;
    private TimeSpan _due = TimeSpan.MaxValue;
    private bool _disposed;

    /// <param name="clock">The engine's clock.</param>
    /// <param name="tick">Lets time pass in the engine: calls <see cref="OnTick"/> under the engine's lock, and <see cref="Arm"/> when it is done.</param>
    /// <param name="logger">For a tick that throws.</param>
    public EngineTimer(MonotonicClock clock, Action tick, ILogger logger)
    {
        _clock = clock;
        _logger = logger;
        _tick = tick;
        _timer = clock.Provider.CreateTimer(static state => ((EngineTimer)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A tick begins, of the timer or of a caller; false once disposed, and then the engine must not be dirty.</summary>
    public bool OnTick()
    {
        _due = TimeSpan.MaxValue;
        return !_disposed;
    }

    /// <summary>Sees to it that the timer fires no later than at <paramref name="deadline"/>; null needs no timer.</summary>
    public void Arm(TimeSpan? deadline)
    {
        // A timer that fires too early is cheaper than one that is moved with every command.
        if (_disposed || deadline is not { } due || due >= _due)
            return;
        var wait = due - _clock.Now;
        wait = wait < s_shortest ? s_shortest : wait > s_longest ? s_longest : wait;
        _due = due;
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>An engine step threw, which is a defect: it is logged, and what the step had done before is carried out like any other's effects.</summary>
    public void OnFault(Exception exception) => Log.StepFailed(_logger, exception);

    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
    }

    private void Fire()
    {
        try
        {
            _tick();
        }
        catch (Exception exception)
        {
            // On the timer's thread it would end the process.
            OnFault(exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "A step of an engine failed, and the engine goes on; please report this")]
        public static partial void StepFailed(ILogger logger, Exception exception);
    }
}
