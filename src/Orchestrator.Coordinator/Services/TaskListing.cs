using System.Diagnostics;
using System.Globalization;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;
using TaskState = Orchestrator.V1.TaskState;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// <c>ListTasks</c>: the tasks that the engine knows and, among them by id, the ends of durable ones that only the history knows.
/// </summary>
internal sealed class TaskListing(TaskEngineHost host, TaskResultMapper results)
{
    private const int HistoryPage = 256;
    // So many are looked at in one hold of the engine's lock, about a quarter of a millisecond.
    private const int MaxScanned = 4_096;
    private static readonly TimeSpan MaxCounting = TimeSpan.FromMilliseconds(100);

    /// <summary>A page, newest first.</summary>
    /// <param name="before">Only tasks with smaller ids.</param>
    /// <param name="size">The maximum number of tasks.</param>
    /// <param name="filter">Which tasks.</param>
    public ListTasksResponse List(long before, int size, TaskFilter filter)
    {
        // Running tasks are often listed on their own, while many tasks are kept; the history contains none of them.
        var known = filter.OnlyRunning
            ? host.Read(view => view.RunningBefore(before).Where(filter.Matches).Take(size + 1).Select(task => ToInfo(view, task)).ToList())
            : Known(before, filter, size + 1);
        var all = known.Concat(filter.OnlyUnfinished ? [] : Past(before, filter, size + 1)).OrderByDescending(task => task.TaskId)
            .Take(size + 1)
            .ToList();
        var response = new ListTasksResponse();
        var fitting = Pages.Fitting(all, size);
        if (all.Count > fitting)
        {
            all.RemoveRange(fitting, all.Count - fitting);
            response.NextPageToken = all[^1].TaskId.ToString(CultureInfo.InvariantCulture);
        }

        response.Tasks.AddRange(all);
        return response;
    }

    /// <summary>How many tasks match, of those that the engine knows.</summary>
    /// <returns>The number, and whether there may be more: counting took too long.</returns>
    public (long Total, bool IsMinimum) Count(TaskFilter filter)
    {
        if (filter is { IsPlain: true, OnlyUnfinished: true })
            return (host.Read(view => CountUnfinished(view, filter)), false);
        var began = Stopwatch.GetTimestamp();
        var total = 0L;
        var isComplete = Scan(long.MaxValue, filter, (_, _) =>
        {
            total++;
            return true;
        }, () => Stopwatch.GetElapsedTime(began) < MaxCounting);
        return (total, !isComplete);
    }

    private static long CountUnfinished(TaskEngineView view, TaskFilter filter)
    {
        var tallies = filter.Handler.Length == 0
            ? [view.Tally]
            : Enum.GetValues<PlacementPolicy>().SelectMany(view.HandlersOf).Where(handler => handler.Name == filter.Handler).Select(
                handler => handler.Tally);
        return tallies.Sum(tally =>
            (filter.Includes(TaskState.Queued) ? tally.Queued : 0) + (filter.Includes(TaskState.Running) ? tally.Running : 0));
    }

    private List<TaskInfo> Known(long before, TaskFilter filter, int maximum)
    {
        var known = new List<TaskInfo>();
        Scan(before, filter, (view, task) =>
        {
            known.Add(ToInfo(view, task));
            return known.Count < maximum;
        }, static () => true);
        return known;
    }

    // Lists omit payloads; GetTask returns them.
    private TaskInfo ToInfo(TaskEngineView view, TaskRecord task) => results.ToInfo(task, withOutput: false, view.WhyWaiting(task));

    /// <summary>
    /// Looks at the tasks that the engine knows, newest first, a part at a time, since few may match of many.
    /// </summary>
    /// <param name="before">Only tasks with smaller ids.</param>
    /// <param name="filter">Which tasks.</param>
    /// <param name="found">Gets each task under the engine's lock; false ends the scan.</param>
    /// <param name="goesOn">Asked between two parts.</param>
    /// <returns>Whether all were looked at.</returns>
    private bool Scan(long before, TaskFilter filter, Func<TaskEngineView, TaskRecord, bool> found, Func<bool> goesOn)
    {
        bool? isComplete;
        while ((isComplete = host.Read(ScanPart)) is null)
        {
            if (!goesOn())
                return false;
            // Lets a thread that waits for the lock have it next.
            Thread.Yield();
        }

        return isComplete.Value;

        bool? ScanPart(TaskEngineView view)
        {
            var left = MaxScanned;
            foreach (var task in view.NewestBefore(before))
            {
                if (filter.IsTooOld(task))
                    return true;
                if (left-- == 0)
                    return null;
                before = task.Id;
                if (filter.Matches(task) && !found(view, task))
                    return false;
            }

            return true;
        }
    }

    private List<TaskInfo> Past(long before, TaskFilter filter, int maximum)
    {
        var past = new List<TaskInfo>();
        while (past.Count < maximum)
        {
            var page = host.ReadHistory(before, HistoryPage);
            if (page.Count == 0)
                break;
            before = (long)page[^1].TaskId;
            past.AddRange(
                host.Read(view => page.Where(task => view.Find((long)task.TaskId) is null).ToArray()).Where(filter.Matches));
        }

        return past;
    }
}
