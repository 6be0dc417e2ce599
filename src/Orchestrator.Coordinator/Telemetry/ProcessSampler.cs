using Microsoft.Extensions.Logging;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// Takes what needs more than one sample: the coordinator's processor use and ended tasks per second, over the last few seconds, and the
/// windows of handlers. One sample a second costs nothing measurable on an idle machine.
/// </summary>
internal sealed class ProcessSampler : IDisposable
{
    private const int Window = 5;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly TaskEngineHost _host;
    private readonly HandlerWindows _windows;
    private readonly MonotonicClock _clock;
    private readonly PeriodicCheck _timer;
    private readonly Queue<(TimeSpan At, TimeSpan Cpu, long Ended)> _samples = new();
    private readonly Lock _gate = new();

    public ProcessSampler(TaskEngineHost host, HandlerWindows windows, MonotonicClock clock, ILogger<ProcessSampler> logger)
    {
        (_host, _windows, _clock) = (host, windows, clock);
        Sample();
        _timer = new PeriodicCheck(clock.Provider, Period, Sample, logger);
    }

    /// <summary>Percent of one core, and tasks ended per second.</summary>
    public (double CpuPercent, double TasksPerSecond) Rates()
    {
        var now = ReadTotals();
        lock (_gate)
        {
            var first = _samples.Peek();
            var seconds = Math.Max(0.001, (now.At - first.At).TotalSeconds);
            return ((now.Cpu - first.Cpu).TotalSeconds / seconds * 100, (now.Ended - first.Ended) / seconds);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Sample()
    {
        var now = ReadTotals();
        _host.Read(view =>
        {
            _windows.Sample(view);
            return 0;
        });
        lock (_gate)
        {
            _samples.Enqueue(now);
            if (_samples.Count > Window)
                _samples.Dequeue();
        }
    }

    private (TimeSpan At, TimeSpan Cpu, long Ended) ReadTotals() =>
        (_clock.Now, Environment.CpuUsage.TotalTime, _host.Read(view => view.Tally.EndedTotal));
}
