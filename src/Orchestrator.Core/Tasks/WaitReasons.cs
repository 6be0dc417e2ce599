using System.Globalization;
using Orchestrator.Core.Scheduling;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>Says why a task has not started.</summary>
internal sealed class WaitReasons(TaskEngineContext context, WorkerPools pools)
{
    private const int MaxNamed = 3;

    /// <summary>The reason in one sentence; empty for a task that has started.</summary>
    public string Explain(TaskRecord task) => task.Phase switch
    {
        TaskPhase.Blocked => $"waits for {Dependencies(task)} to succeed",
        TaskPhase.Unresolved =>
            $"waits until the workers have said which handlers they offer; none of them has named '{task.Handler.Name}'",
        TaskPhase.BackingOff => BackingOff(task),
        TaskPhase.AwaitingConcurrency =>
            $"waits for a permit of the concurrency key '{task.Policy.ConcurrencyKey}', of which {task.Policy.ConcurrencyLimit} may run " +
            "at once",
        TaskPhase.AwaitingStartRate => $"waits for a permit of the rate limiter '{task.Policy.RateLimiter}'",
        TaskPhase.Pinned => $"waits for {task.Worker!.Name}, to which its affinity key '{task.Policy.AffinityKey}' is bound",
        TaskPhase.Ready => Ready(task),
        TaskPhase.Assigned when task.StartedAt == 0 => SentAhead(task),
        _ => "",
    };

    private static string SentAhead(TaskRecord task)
    {
        var ahead = 0;
        for (var other = task.Previous; other is not null; other = other.Previous)
            ahead++;
        return ahead == 0
            ? $"was sent to {task.Worker!.Name}, which is about to start it"
            : $"was sent ahead to {task.Worker!.Name}, where {Number(ahead)} {(ahead == 1 ? "task is" : "tasks are")} before it";
    }

    private static string Lane(WorkKind kind) => kind switch
    {
        WorkKind.Io => "an IO lane",
        WorkKind.Blocking => "a blocking lane",
        _ => "a CPU lane",
    };

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private string Dependencies(TaskRecord task)
    {
        var open = task.Policy.DependsOn.Where(id => context.Tasks.Find(id) is { HasEnded: false }).ToArray();
        var named = string.Join(", ", open.Take(MaxNamed));
        return open.Length switch
        {
            1 => $"task {named}",
            <= MaxNamed => $"the tasks {named}",
            _ => $"the tasks {named} and {Number(open.Length - MaxNamed)} others",
        };
    }

    private string BackingOff(TaskRecord task)
    {
        var wait = TimeSpan.FromTicks(Math.Max(0, (task.SideData?.QueuedAt ?? 0) - context.Now));
        var last = task.EarlierAttempts is [.., var failed] ? $", since {failed.Failure.Message}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"waits {wait.TotalSeconds:0.0} s more before attempt {task.Attempt}{last}");
    }

    private string Ready(TaskRecord task)
    {
        var route = WorkerPools.RouteOf(task.Handler)!;
        var pool = pools.Of(task);
        var able = pool.Workers.Where(route.Includes).ToArray();
        var open = able.Count(worker => !worker.IsClosed);
        if (open == 0)
        {
            var why = able.Length > 0 ? $"{able.Length} of them take no more tasks" : "none of them is ready";
            return $"waits for a worker of {string.Join(" or ", task.Handler.Groups.Select(group => $"group '{group}'"))}: {why}";
        }

        var queue = pools.QueueOf(task);
        var others = queue.Count - 1;
        var workers = open == 1 ? "the worker that offers it is busy" : $"all {open} workers that offer it are busy";
        var place = queue.First == task
            ? "and it is the next" : $"and {Number(others)} other {(others == 1 ? "task waits" : "tasks wait")} there";
        return $"waits for {Lane(task.Handler.Kind)}: {workers}, {place}";
    }
}
