using System.Globalization;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

// Workers that have run enough tasks, or have grown too large, are replaced before they do harm: the successor starts first, and none of their tasks is
// lost.
internal sealed partial class WorkerSupervisor
{
    // Compilation continues after a worker is ready: of the 0.4 s of processor time until its handlers run at full speed, the start is a third.
    private const double WarmUp = 3.5;

    private TimeSpan _renewalPause;
    private TimeSpan _noRenewalBefore;

    /// <summary>Finds workers to replace: one at a time, since a machine that restarts all workers at once cannot serve tasks.</summary>
    private void Renew()
    {
        if (_stopping || (_options.RecycleAfterTasks is null && _options.MaxWorkerMemory is null) || _processes.Exists(process => process.Role == WorkerRole.Starting))
            return;
        foreach (var slot in _slots)
        {
            if (slot is not { Current: { Role: WorkerRole.Active, Link: not null } worker, Successor: null, Recycling: null } || _clock.Now < slot.NoRenewalBefore)
                continue;
            if (WhyRenew(worker) is not { } why)
                continue;
            _events.Add("worker.renewing", worker.Name, $"pid {worker.Child.Pid} {why}; its successor comes first");
            worker.IsDueForRecycling = true;
            _noRenewalBefore = _clock.Now + _renewalPause;
            if (!FillBySpare(slot))
                slot.Successor = Launch(slot.Group, slot);
            Publish();
            return;
        }
    }

    /// <summary>Why a worker must be replaced; null if it need not be.</summary>
    private string? WhyRenew(WorkerProcess worker)
    {
        if (_options.MaxWorkerMemory is { } most && ProcFs.Resident(worker.Child.Pid) is var resident && resident > most)
            return string.Create(CultureInfo.InvariantCulture, $"takes {resident >> 20} MB, more than {most >> 20}");
        if (_options.RecycleAfterTasks is not { } tasks || _clock.Now < _noRenewalBefore)
            return null;
        if (worker.Link?.View is not { } view)
            return null;
        var done = _host.Read(_ => view.Succeeded + view.Failed);
        // Spread by ± 10 %, so that workers that started together are not replaced together.
        return done >= tasks * worker.RenewalFactor ? $"has ended {done} tasks" : null;
    }

    /// <summary>Called when a worker is ready and the cost of its start is known: sets the pause before the next replacement by task count.</summary>
    private void LearnCostOfStart(WorkerProcess worker)
    {
        if (_options.RecycleAfterTasks is null)
            return;
        var cost = ProcFs.ProcessorTime(worker.Child.Pid) * WarmUp;
        _renewalPause = cost / (_options.RecycleShare * _cores.Count);
        var soonest = _clock.Now + _renewalPause;
        if (soonest > _noRenewalBefore)
            _noRenewalBefore = soonest;
    }
}
