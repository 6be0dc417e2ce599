using System.Globalization;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// <c>ListTasks</c>: the tasks that the engine knows and, among them by id, the ends of durable ones that only the history knows.
/// </summary>
internal sealed class TaskListing(TaskEngineHost host, TaskResultMapper results)
{
    private const int HistoryPage = 256;
    // So many are looked at in one hold of the engine's lock, about a quarter of a millisecond.
    private const int MaxScanned = 4_096;

    /// <summary>A page, newest first.</summary>
    /// <param name="before">Only tasks with smaller ids.</param>
    /// <param name="size">The maximum number of tasks.</param>
    /// <param name="states">Only tasks in these states; empty for all.</param>
    /// <param name="handler">Only tasks of this handler; empty for all.</param>
    public ListTasksResponse List(long before, int size, IReadOnlySet<TaskState> states, string handler)
    {
        // Running tasks are often listed on their own, while many tasks are kept; the history contains none of them.
        var onlyRunning = states.Count == 1 && states.Contains(TaskState.Running);
        var known = onlyRunning
            ? host.Read(view => view.RunningBefore(before)
                .Where(task => Fits((TaskState)(int)task.State, task.Handler.Name))
                .Take(size + 1)
                .Select(task => results.ToInfo(task, withOutput: false))
                .ToList())
            : Known(before, Fits, size + 1);
        var all = known.Concat(onlyRunning ? [] : Past(before, Fits, size + 1)).OrderByDescending(task => task.TaskId).Take(size + 1)
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

        bool Fits(TaskState state, string name) =>
            (states.Count == 0 || states.Contains(state)) && (handler.Length == 0 || name == handler);
    }

    /// <summary>The tasks that the engine knows: it is asked for a part at a time, since few may fit of many.</summary>
    private List<TaskInfo> Known(long before, Func<TaskState, string, bool> fits, int maximum)
    {
        var known = new List<TaskInfo>();
        while (host.Read(Scan))
        {
            // Lets a thread that waits for the lock have it next.
            Thread.Yield();
        }

        return known;

        bool Scan(TaskEngineView view)
        {
            var left = MaxScanned;
            foreach (var task in view.NewestBefore(before))
            {
                if (known.Count == maximum || left-- == 0)
                    return known.Count < maximum;
                before = task.Id;
                // Lists omit payloads; GetTask returns them.
                if (fits((TaskState)(int)task.State, task.Handler.Name))
                    known.Add(results.ToInfo(task, withOutput: false));
            }

            return false;
        }
    }

    private List<TaskInfo> Past(long before, Func<TaskState, string, bool> fits, int maximum)
    {
        var past = new List<TaskInfo>();
        while (past.Count < maximum)
        {
            var page = host.ReadHistory(before, HistoryPage);
            if (page.Count == 0)
                break;
            before = (long)page[^1].TaskId;
            past.AddRange(host.Read(view => page.Where(task => view.Find((long)task.TaskId) is null).ToArray()).Where(
                task => fits(task.State, task.Handler)));
        }

        return past;
    }
}
