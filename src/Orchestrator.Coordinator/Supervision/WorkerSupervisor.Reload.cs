namespace Orchestrator.Coordinator.Supervision;

// New options while it runs.
internal sealed partial class WorkerSupervisor
{
    /// <summary>The options in force.</summary>
    public SupervisorOptions Options => _options;

    /// <summary>
    /// Workers that start from now on are as these options say, and groups have so many. Those that run go on as they are until they are recycled; the spares
    /// are replaced at once. The groups themselves, and who is pinned, stay.
    /// </summary>
    public Task ReloadAsync(SupervisorOptions options) => _thread.CallAsync(() =>
    {
        if (_stopping)
            return false;
        var before = _options;
        _options = options with
        {
            PinWorkers = before.PinWorkers,
            MoreGroups = [.. before.MoreGroups.Select(group => options.MoreGroups.FirstOrDefault(next => next.Name == group.Name) ?? group)],
        };
        _starter.Reload(_options);
        foreach (var (group, next, last) in _groups.Zip(_options.Groups, before.Groups))
        {
            group.Options = next;
            group.SpareHasFailed = false;
            if (group.Spare is { } spare)
            {
                group.Spare = null;
                Terminate(spare, "the options were read again");
            }

            StartSpare(group);
            // What was scaled by hand meanwhile stays so.
            if (next.Workers != last.Workers)
                Scale(group, next.Workers);
        }

        return true;
    });
}
