using System.Globalization;

namespace Orchestrator.Coordinator.Supervision;

// Workers that have done enough, or have grown too large, are replaced before they do harm: the successor first, and none of their tasks is lost.
internal sealed partial class WorkerSupervisor
{
    // Compiling goes on after a worker is ready: of 0.4 s of processor time that it takes until its handlers run as fast as they can, the start is a third.
    private const double WarmUp = 3.5;

    private TimeSpan _renewalPause;
    private TimeSpan _noRenewalBefore;

    /// <summary>Looks for workers to replace: one at a time, since a machine on which all workers start anew at once serves nobody.</summary>
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

    /// <summary>Why a worker is to be replaced; null where it is not.</summary>
    private string? WhyRenew(WorkerProcess worker)
    {
        if (_options.MaxWorkerMemory is { } most && ProcFs.Resident(worker.Child.Pid) is var resident && resident > most)
            return string.Create(CultureInfo.InvariantCulture, $"takes {resident >> 20} MB, more than {most >> 20}");
        if (_options.RecycleAfterTasks is not { } tasks || _clock.Now < _noRenewalBefore)
            return null;
        if (worker.Link?.View is not { } view)
            return null;
        var done = _host.Read(_ => view.Succeeded + view.Failed);
        // Spread by 10 % to either side, so that workers that started together do not end together.
        return done >= tasks * worker.RenewalFactor ? $"has ended {done} tasks" : null;
    }

    /// <summary>A worker is ready, and what its start has cost is known: what may pass before the next is replaced for the number of its tasks.</summary>
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
