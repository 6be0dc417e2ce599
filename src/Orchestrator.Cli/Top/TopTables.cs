using System.Globalization;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Top;

/// <summary>The columns and cells of <c>orchestrator top</c>, the same on a screen and in a pipe.</summary>
internal static class TopTables
{
    public static readonly Column[] WorkerColumns =
    [
        new("worker"), new("state"), new("pid", true), new("age", true), new("CPU", true), new("memory", true), new("running", true),
        new("ahead", true), new("done", true), new("failed", true), new("tasks/s", true), new("current task"),
    ];

    public static readonly Column[] TaskColumns =
        [new("task", true), new("handler"), new("worker"), new("attempt", true), new("runs for", true), new("progress")];

    public static readonly Column[] HandlerColumns =
    [
        new("handler"), new("queued", true), new("running", true), new("succeeded", true), new("failed", true),
        .. WindowColumns.Columns,
    ];

    public static readonly Column[] QueueColumns =
    [
        new("queue"), new("ready", true), new("leased", true), new("unfinished", true), new("most", true), new("oldest", true),
        new("getters", true), new("putters", true), new("state"),
    ];

    /// <summary>Columns to drop on a narrow screen, in this order.</summary>
    public static readonly string[] LeastFirst = ["ahead", "putters", "getters", "attempt", "run p99", "latency p50", "failed", "pid",
        "oldest", "most", "done", "state", "queued", "tasks/s", "age", "progress", "CPU", "running", "memory"];

    /// <summary>The header above the tables, in parts; a narrow screen breaks lines between them.</summary>
    public static string[][] Headline(TopSnapshot snapshot)
    {
        var status = snapshot.Status;
        var coordinator = status.Coordinator ?? new ProcessInfo();
        var tasks = status.Tasks ?? new TaskCounts();
        return
        [
            [
                $"Coordinator {status.Version} at {Format.Address(snapshot.Address)}",
                $"pid {coordinator.Pid}",
                string.Create(CultureInfo.InvariantCulture, $"{coordinator.CpuPercent:0.0} % CPU"),
                Format.Bytes(coordinator.RssBytes),
                $"{coordinator.Threads} threads",
                .. status.Draining ? ["DRAINING"] : Array.Empty<string>(),
                Format.Objects(status),
            ],
            [
                $"Tasks: {Format.Rate(tasks.PerSecond)}/s",
                $"{Format.Count(tasks.Queued)} queued",
                $"{Format.Count(tasks.Running)} running",
                $"{Format.Count(tasks.Succeeded)} succeeded",
                $"{Format.Count(tasks.Failed)} failed",
                $"{Format.Count(tasks.Cancelled)} cancelled",
                $"{Format.Count(tasks.TimedOut)} timed out",
                $"{Format.Count(tasks.WorkerLost)} lost",
                $"{Format.Count(tasks.Retried)} retried",
            ],
        ];
    }

    public static string[] Cells(TopSnapshot snapshot, TopRates rates, WorkerInfo worker) =>
    [
        $"{worker.Name}#{worker.Incarnation}",
        Format.Worker(worker.State),
        worker.Pid.ToString(CultureInfo.InvariantCulture),
        Format.Time(snapshot.AgeOf(worker)),
        string.Create(CultureInfo.InvariantCulture, $"{worker.CpuPercent:0.0} %"),
        Format.Bytes(worker.RssBytes),
        Format.Count(worker.RunningTasks),
        Format.Count(worker.PrefetchedTasks),
        Format.Count(worker.CompletedTasks),
        Format.Count(worker.FailedTasks),
        Rate(rates.Of(worker)),
        Current(snapshot, worker),
    ];

    public static string[] Cells(TopSnapshot snapshot, TaskInfo task) =>
    [
        task.TaskId.ToString(CultureInfo.InvariantCulture),
        task.Handler,
        task.Attempts.LastOrDefault()?.Worker is { Length: > 0 } worker ? worker : "in process",
        Format.Count(task.Attempts.Count),
        Format.Time(snapshot.AgeOf(task)),
        task.Progress is { } progress ? Format.Progress(progress) : "",
    ];

    public static string[] Cells(TopSnapshot snapshot, HandlerStats handler)
    {
        var counts = handler.Counts ?? new TaskCounts();
        return
        [
            handler.Handler,
            Format.Count(counts.Queued),
            Format.Count(counts.Running),
            Format.Count(counts.Succeeded),
            Format.Count(counts.Failed + counts.TimedOut + counts.WorkerLost),
            .. WindowColumns.Cells(snapshot.Status, handler.Handler),
        ];
    }

    public static string[] Cells(QueueInfo queue) =>
    [
        queue.Spec.Name,
        Format.Count(queue.ReadyItems),
        Format.Count(queue.LeasedItems),
        Format.Count(queue.UnfinishedItems),
        Format.Count(queue.Spec.MaxItems),
        Format.Time(queue.OldestAge),
        Format.Count(queue.WaitingGetters),
        Format.Count(queue.WaitingPutters),
        queue.ShutDown ? "shut down" : "open",
    ];

    private static string Rate(double? rate) => rate is { } value ? Format.Rate(value) : "–";

    private static string Current(TopSnapshot snapshot, WorkerInfo worker)
    {
        if (snapshot.On(worker).FirstOrDefault() is not { } task)
            return worker.RunningTasks > 0 ? "…" : "";
        var more = worker.RunningTasks > 1 ? $" and {Format.Count(worker.RunningTasks - 1)} more" : "";
        return $"{task.TaskId} {task.Handler}, {Format.Time(snapshot.AgeOf(task))}{more}";
    }
}
