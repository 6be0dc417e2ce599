using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.EngineHosts;

/// <summary>
/// The one timer of an engine. It fires at the engine's next deadline or earlier, never later: an early tick finds nothing due and arms the
/// timer again. All members except the timer callback are called under the engine's lock.
/// </summary>
internal sealed partial class EngineTimer : IDisposable
{
    // A deadline can be due immediately; a zero due time would fire in a loop while another thread holds the lock.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    // A .NET timer takes at most 2^32 - 2 ms, about 49.7 days, while deadlines may lie years ahead. One early tick a day costs nothing.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private readonly MonotonicClock _clock;
    private readonly ILogger _logger;
    private readonly Action _tick;
    private readonly ITimer _timer;
    private TimeSpan _due = TimeSpan.MaxValue;
    private bool _disposed;

    /// <param name="clock">The engine's clock.</param>
    /// <param name="tick">Advances the engine's time: calls <see cref="OnTick"/> under the engine's lock, and <see cref="Arm"/> when it is
    /// done.</param>
    /// <param name="logger">Logs a tick that throws.</param>
    public EngineTimer(MonotonicClock clock, Action tick, ILogger logger)
    {
        _clock = clock;
        _logger = logger;
        _tick = tick;
        _timer = clock.Provider.CreateTimer(
            static state => ((EngineTimer)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins a tick, of the timer or of a caller; false once disposed, and then the engine must not be accessed.</summary>
    public bool OnTick()
    {
        _due = TimeSpan.MaxValue;
        return !_disposed;
    }

    /// <summary>Ensures that the timer fires no later than <paramref name="deadline"/>; null needs no timer.</summary>
    public void Arm(TimeSpan? deadline)
    {
        // A timer that fires too early costs less than re-arming it with every command.
        if (_disposed || deadline is not { } due || due >= _due)
            return;
        var wait = due - _clock.Now;
        wait = wait < Shortest ? Shortest : wait > Longest ? Longest : wait;
        _due = due;
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Logs an engine step that threw, which is a defect; the effects that it had produced before are carried out as usual.
    /// </summary>
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
            // An unhandled exception on the timer's thread would end the process.
            OnFault(exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "A step of an engine failed, and the engine goes on; please report this")]
        public static partial void StepFailed(ILogger logger, Exception exception);
    }
}
