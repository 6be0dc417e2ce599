using Orchestrator.V1;

namespace Orchestrator.Cli.Output;

/// <summary>Describes problems of the workers, with the remedy.</summary>
internal static class WorkerNotes
{
    /// <summary>Whether all workers of some group have been given up: tasks that only this group can run fail.</summary>
    public static bool HasLostGroup(ServiceStatus status) =>
        status.Workers.GroupBy(worker => worker.Group).Any(group => group.All(IsGivenUp));

    /// <summary>One line for each problem that keeps tasks from running; empty if there is none.</summary>
    public static IEnumerable<string> Of(ServiceStatus status)
    {
        if (status.Workers.Count == 0)
            yield return "There are no workers, and tasks for them wait: 'orchestrator scale N' starts some.";
        foreach (var group in status.Workers.GroupBy(worker => worker.Group))
        {
            var failed = group.Where(IsGivenUp).ToArray();
            if (failed.Length == 0)
                continue;
            var again = $"Mend the cause, then 'orchestrator recycle --group {group.Key}' tries again.";
            yield return failed.Length == group.Count()
                ? $"Worker group '{group.Key}' has been given up, and tasks that only it can run fail. {failed[^1].Name} " +
                    $"{failed[^1].LastExit}. {again}"
                : $"{failed.Length} of {group.Count()} workers of group '{group.Key}' have been given up. {failed[^1].Name} " +
                    $"{failed[^1].LastExit}. {again}";
        }

        if (status.Workers.Count > 0 && status.Tasks is { Queued: > 0 }
            && status.Workers.All(worker => worker.State is WorkerState.Starting or WorkerState.BackingOff or WorkerState.Failed)
            && status.Workers.FirstOrDefault(worker => !IsGivenUp(worker)) is { } starting)
            yield return $"No worker is ready yet, and tasks wait for one: {starting.Name} is " +
                $"{Format.Worker(starting.State)}{(starting.LastExit.Length > 0 ? $", its last one {starting.LastExit}" : "")}.";
    }

    private static bool IsGivenUp(WorkerInfo worker) => worker.State == WorkerState.Failed;
}
