using Microsoft.Extensions.Logging;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// Calls something again and again, never twice at once. An exception in a timer's callback would end the process; here it is logged, and
/// the next call comes as usual.
/// </summary>
internal sealed partial class PeriodicCheck : IDisposable
{
    private readonly Action _check;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private int _isRunning;

    /// <param name="time">The time.</param>
    /// <param name="period">From the start of one call to that of the next; a call that takes longer leaves out the next.</param>
    /// <param name="check">What is called.</param>
    /// <param name="logger">Logs what it throws, which is a defect.</param>
    public PeriodicCheck(TimeProvider time, TimeSpan period, Action check, ILogger logger)
    {
        (_check, _logger) = (check, logger);
        _timer = time.CreateTimer(static state => ((PeriodicCheck)state!).Run(), this, period, period);
    }

    public void Dispose() => _timer.Dispose();

    private void Run()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0)
            return;
        try
        {
            _check();
        }
        catch (Exception exception)
        {
            LogFailed(exception);
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A periodic check failed, and is repeated; please report this")]
    private partial void LogFailed(Exception exception);
}
