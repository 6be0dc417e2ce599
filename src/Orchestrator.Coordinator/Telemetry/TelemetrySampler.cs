using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>Once a second: the figures of that second, then what needs attention.</summary>
internal sealed partial class TelemetrySampler(
    HistoryRecorder history, AttentionFinder attention, MonotonicClock clock, ILogger<TelemetrySampler> logger)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private ITimer? _timer;
    private int _isSampling;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = clock.Provider.CreateTimer(_ => Sample(), null, Period, Period);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _timer?.Dispose();

    private void Sample()
    {
        // A sample may take longer than the period on a machine that is overloaded.
        if (Interlocked.Exchange(ref _isSampling, 1) != 0)
            return;
        try
        {
            history.Record();
            attention.Look();
        }
        catch (Exception exception)
        {
            // An exception of a timer ends the process, and figures are not worth that.
            LogFailed(exception);
        }
        finally
        {
            Volatile.Write(ref _isSampling, 0);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the figures of a second could not be taken")]
    private partial void LogFailed(Exception exception);
}
