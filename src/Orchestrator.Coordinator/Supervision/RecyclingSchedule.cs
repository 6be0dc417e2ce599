using System.Globalization;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// Decides which workers are due for recycling: those that have run enough tasks, and those that have grown too large. Used on the
/// supervisor's thread only.
/// </summary>
/// <param name="host">Knows how many tasks a worker has ended.</param>
/// <param name="clock">The time.</param>
/// <param name="cores">The number of cores that starts of workers may burden.</param>
internal sealed class RecyclingSchedule(TaskEngineHost host, MonotonicClock clock, int cores)
{
    // Compilation continues after a worker is ready: of the 0.4 s of processor time until its handlers run at full speed, the start is a
    // third.
    private const double WarmUp = 3.5;

    private TimeSpan _pause;
    private TimeSpan _notBefore;

    /// <summary>Why a worker must be replaced; null if it need not be.</summary>
    public string? WhyDue(WorkerProcess worker, SupervisorOptions options)
    {
        if (options.MaxWorkerMemory is { } most && ProcFs.Resident(worker.Child.Pid) is var resident && resident > most)
            return string.Create(CultureInfo.InvariantCulture, $"takes {resident >> 20} MB, more than {most >> 20}");
        if (options.RecycleAfterTasks is not { } tasks || clock.Now < _notBefore)
            return null;
        if (worker.Link?.View is not { } view)
            return null;
        var done = host.Read(_ => view.Succeeded + view.Failed);
        // Spread by ± 10 %, so that workers that started together are not replaced together.
        return done >= tasks * worker.RenewalFactor ? $"has ended {done} tasks" : null;
    }

    /// <summary>A replacement begins: the next one by number of tasks waits until the machine has paid for it.</summary>
    public void OnBegun() => _notBefore = clock.Now + _pause;

    /// <summary>
    /// Called when a worker is ready and the cost of its start is known: sets the pause before the next replacement by number of tasks.
    /// </summary>
    public void LearnCostOfStart(WorkerProcess worker, SupervisorOptions options)
    {
        if (options.RecycleAfterTasks is null)
            return;
        var cost = ProcFs.ProcessorTime(worker.Child.Pid) * WarmUp;
        _pause = cost / (options.RecycleShare * cores);
        var soonest = clock.Now + _pause;
        if (soonest > _notBefore)
            _notBefore = soonest;
    }
}
