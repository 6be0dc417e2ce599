using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>Once a second: the figures of that second, then what needs attention.</summary>
internal sealed class TelemetrySampler(
    HistoryRecorder history, AttentionFinder attention, MonotonicClock clock, ILogger<TelemetrySampler> logger)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private PeriodicCheck? _timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = new PeriodicCheck(clock.Provider, Period, Sample, logger);
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
        history.Record();
        attention.Look();
    }
}
