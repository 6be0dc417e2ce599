using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Supervision;

// The end of a worker, and the refilling of its slot.
internal sealed partial class WorkerSupervisor
{
    private void Condemn(WorkerProcess process)
    {
        if (process.Role != WorkerRole.Active)
            return;
        process.Role = WorkerRole.Condemned;
        process.Child.LowerPriority();
        _events.Add(
            "worker.condemned", process.Name, $"pid {process.Child.Pid}: a task ignored its cancellation; a successor takes its slot");
        SupervisorLog.Condemned(_logger, process.Name, process.Child.Pid);
        Replace(process, "condemned");
    }

    private void Terminate(WorkerProcess process, string why) => _termination.Terminate(process, why, _options);

    private void DrainAndStop(WorkerProcess process) => _termination.DrainAndStop(process, _options);

    private void OnExited(WorkerProcess process, ChildExit exit)
    {
        _processes.Remove(process);
        _launcher.Forget(process);
        process.Leftovers.Remove();
        var postMortem = process.PostMortem(exit, _launcher.KernelRanOutOfMemory());
        var expected = process.Role is WorkerRole.Draining or WorkerRole.Condemned or WorkerRole.Ending;
        var (finished, atWork) = (0L, false);
        if (process.Link?.View is { } view)
        {
            (finished, atWork) = _host.Read(_ => (view.Succeeded + view.Failed, view.Running > 0));
            _host.Apply(new TaskCommand.WorkerLost(view, view.Description.RecordsFlight ? process.Recorder.Snapshot() : null, postMortem));
        }

        var cause = !expected && postMortem.LastWords is { Length: > 0 } words
            ? $"{postMortem.FullCause}; its last words: {words}" : postMortem.FullCause;
        _events.Add(expected ? "worker.exited" : "worker.lost", process.Name, $"pid {process.Child.Pid} {cause}");
        if (!expected)
        {
            SupervisorLog.Lost(_logger, process.Name, process.Child.Pid, cause);
            process.Group.LastDeath = ($"{process.Name} {cause}", postMortem);
        }

        if (process.Slot is { } owner)
            owner.LastExit = cause;
        process.Dispose();
        if (!expected)
            OnLost(process, finished, atWork, cause);
        else if (process.Slot is { Current: var current } slot && current == process && !_stopping)
            Replace(process, cause);
        Publish();
        CheckSettled();
        CheckAllEnded();
    }

    private void OnLost(WorkerProcess process, long finished, bool atWork, string cause)
    {
        // A worker that never said Hello has not started, however long it ran.
        var wasReady = process.Link is not null;
        var early = !wasReady || (finished == 0 && _clock.Running.GetElapsedTime(process.StartedAt) < _options.EarlyLifetime);
        if (process.Group.Spare == process)
            process.Group.Spare = null;
        if (process.Slot is { } slot)
        {
            if (slot.Successor == process)
                slot.Successor = null;
            else if (slot.Current == process)
                slot.Current = null;
        }

        // If the slot still has a worker, the lost process was its successor, which never served, however long it took to start.
        if (early || process.Slot is { Current: not null })
        {
            // A task may have caused a death at work: such a death delays the next start, but tasks that kill workers must not cause the
            // group to be given up.
            OnEarlyDeath(process.Group, process.Slot, cause, mayGiveUp: !atWork, wasReady);
            return;
        }

        if (process.Slot is { } lost)
        {
            lost.EarlyDeaths.Clear();
            lost.CountRestart(RestartCause.Lost, _clock.Now);
            StartFor(lost);
        }
        else
        {
            StartSpare(process.Group);
        }
    }

    /// <summary>Empties the slot of an ending worker and refills it at once.</summary>
    private void Replace(WorkerProcess process, string cause)
    {
        if (process.Slot is not { } slot || slot.Current != process)
            return;
        slot.Current = null;
        slot.LastExit = cause;
        slot.CountRestart(RestartCause.Replaced, _clock.Now);
        if (slot.Successor is null)
            StartFor(slot);
    }

    private void OnEarlyDeath(WorkerGroup group, WorkerSlot? slot, string cause, bool mayGiveUp = true, bool wasReady = false)
    {
        if (_stopping)
            return;
        var deaths = (slot?.EarlyDeaths ?? group.SpareDeaths).Add(_clock.Now, _options.IntensityWindow, wasReady);
        if (slot is null)
        {
            group.SpareHasFailed = mayGiveUp && deaths >= _options.MaxEarlyDeaths;
            if (!group.SpareHasFailed)
                _thread.PostAfter(_options.BackoffAfter(deaths), () => StartSpare(group));
            return;
        }

        slot.LastExit = cause;
        slot.CountRestart(RestartCause.EarlyDeath, _clock.Now);
        if (slot.Current is not null)
        {
            // The successor did not start: the worker that it was to replace continues.
            slot.Successor = null;
            slot.NoRenewalBefore = _clock.Now + _options.MaxRestartBackoff;
            slot.Recycling?.TrySetException(new InvalidOperationException($"the successor of {slot.Name} did not start: {cause}"));
            slot.Recycling = null;
        }
        else if (mayGiveUp && deaths >= _options.MaxEarlyDeaths)
        {
            slot.HasFailed = true;
            _events.Add("worker.failed", slot.Name, $"given up after {deaths} early deaths, the last: {cause}; 'recycle' tries again");
            SupervisorLog.GivenUp(_logger, slot.Name, deaths, cause);
            slot.Recycling?.TrySetException(new InvalidOperationException($"{slot.Name} does not start: {cause}"));
            slot.Recycling = null;
        }
        else if (group.Spare is { Role: WorkerRole.Spare })
        {
            // A ready spare exists for this case; the backoff only has to prevent repeated process starts.
            StartFor(slot);
        }
        else
        {
            slot.IsBackingOff = true;
            _thread.PostAfter(_options.BackoffAfter(deaths), () =>
            {
                if (slot is { IsBackingOff: true, Current: null })
                    StartFor(slot);
            });
        }

        Publish();
        CheckSettled();
    }
}
