using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

// Reloading of options.
internal sealed partial class WorkerSupervisor
{
    /// <summary>The options in force.</summary>
    public SupervisorOptions Options => _options;

    /// <summary>
    /// Workers that start from now on use these options, and groups get the new sizes. Running workers keep their options until they are
    /// recycled; spares are replaced at once. The set of groups and the pinning do not change.
    /// </summary>
    public Task ReloadAsync(SupervisorOptions options) => _thread.CallAsync(() =>
    {
        if (_stopping)
            return false;
        var before = _options;
        _options = options with
        {
            PinWorkers = before.PinWorkers,
            MoreGroups =
                [.. before.MoreGroups.Select(group => options.MoreGroups.FirstOrDefault(next => next.Name == group.Name) ?? group)],
        };
        _launcher.Reload(_options);
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
            // A size set by scaling at run time is kept.
            if (next.Workers != last.Workers)
                Scale(group, next.Workers);
        }

        return true;
    });
}
