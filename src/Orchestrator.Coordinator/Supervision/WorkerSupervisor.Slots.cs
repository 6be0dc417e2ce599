namespace Orchestrator.Coordinator.Supervision;

// The set of slots: groups, scaling, recycling.
internal sealed partial class WorkerSupervisor
{
    /// <summary>The names of the groups.</summary>
    public IEnumerable<string> GroupNames => _groups.Select(group => group.Name);

    /// <summary>
    /// Changes the number of slots of a group (of the only group if none is named); surplus workers finish their running tasks.
    /// </summary>
    /// <returns>The group's slots after the change.</returns>
    public Task<int> ScaleAsync(string group, int workers)
    {
        var scaled = group.Length == 0 ? _groups[0] : _groups.Find(known => known.Name == group)!;
        return _thread.CallAsync(() => Scale(scaled, workers));
    }

    private int Scale(WorkerGroup group, int workers)
    {
        var slots = _slots.FindAll(slot => slot.Group == group);
        if (workers > slots.Count)
            AddSlots(group, workers - slots.Count);
        for (var i = slots.Count - 1; i >= workers; i--)
            RemoveSlot(slots[i]);
        Publish();
        return workers;
    }

    /// <summary>
    /// Replaces the worker with this name (all if empty) in this group (any if empty), one after the other, each after its successor has
    /// started. Returns how many were replaced.
    /// </summary>
    public async Task<int> RecycleAsync(string group, string worker, CancellationToken cancellationToken)
    {
        var recycled = 0;
        var names = await _thread.CallAsync(() => _slots
            .Where(slot => (worker.Length == 0 || slot.Name == worker) && (group.Length == 0 || slot.Group.Name == group))
            .Select(slot => slot.Name).ToArray());
        foreach (var name in names)
        {
            if (await _thread.CallAsync(() => Recycle(name)) is not { } done)
                continue;
            await done.WaitAsync(cancellationToken);
            recycled++;
        }

        return recycled;
    }

    private void AddSlots(WorkerGroup group, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var core = _options.PinWorkers ? _cores[(group.FirstCore + group.SlotNumber) % _cores.Count] : -1;
            var slot = new WorkerSlot(group, $"{group.Name}-{++group.SlotNumber}", core);
            // Next to the others of its group, so that listings show them together.
            _slots.Insert(_slots.FindLastIndex(other => _groups.IndexOf(other.Group) <= _groups.IndexOf(group)) + 1, slot);
            StartFor(slot);
        }

        Publish();
    }

    private void RemoveSlot(WorkerSlot slot)
    {
        _slots.Remove(slot);
        slot.IsRemoved = true;
        if (slot.Current is { } current)
            DrainAndStop(current);
        if (slot.Successor is { } successor)
            Terminate(successor, "its slot was removed");
        slot.Recycling?.TrySetResult();
        // Names are reused: worker-3 of three is worker-3 again after scaling down and up.
        slot.Group.SlotNumber--;
    }

    private Task? Recycle(string name)
    {
        if (_slots.Find(slot => slot.Name == name) is not { } slot)
            return null;
        if (slot.Recycling is { } running)
            return running.Task;
        slot.EarlyDeaths.Clear();
        var done = slot.Recycling = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        slot.Group.SpareHasFailed = false;
        if (slot.Current is null)
        {
            slot.HasFailed = false;
            StartFor(slot);
        }
        else if (slot.Successor is null && !FillBySpare(slot))
        {
            // If a successor exists, the worker was about to be replaced anyway.
            slot.Successor = Launch(slot.Group, slot);
        }

        Publish();
        return done.Task;
    }
}
