namespace Orchestrator.Coordinator.Supervision;

// Workers that have run enough tasks, or have grown too large, are replaced before they do harm: the successor starts first, and none of
// their tasks is lost.
internal sealed partial class WorkerSupervisor
{
    /// <summary>Finds workers to replace: one at a time, since a machine that restarts all workers at once cannot serve tasks.</summary>
    private void Renew()
    {
        if (_stopping || _options is { RecycleAfterTasks: null, MaxWorkerMemory: null }
            || _processes.Exists(process => process.Role == WorkerRole.Starting))
            return;
        foreach (var slot in _slots)
        {
            if (slot is not { Current: { Role: WorkerRole.Active, Link: not null } worker, Successor: null, Recycling: null }
                || _clock.Now < slot.NoRenewalBefore
                || _recycling.WhyDue(worker, _options) is not { } why)
                continue;
            _events.Add("worker.renewing", worker.Name, $"pid {worker.Child.Pid} {why}; its successor comes first");
            worker.IsDueForRecycling = true;
            _recycling.OnBegun();
            if (!FillBySpare(slot))
                slot.Successor = Launch(slot.Group, slot);
            Publish();
            return;
        }
    }
}
