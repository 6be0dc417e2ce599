using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>The pools of all placements.</summary>
internal sealed class WorkerPools(TaskEngineOptions options)
{
    public WorkerPool[] All { get; } = [.. Enum.GetValues<PlacementPolicy>().Select(placement => new WorkerPool(
        placement, options.Aging.Ticks, placement == PlacementPolicy.WorkerProcess ? options.WorkerGroups : []))];

    public WorkerPool WorkerProcesses => this[PlacementPolicy.WorkerProcess];

    /// <summary>The running tasks of all workers, in no particular order.</summary>
    public IEnumerable<TaskRecord> Running => All
        .SelectMany(pool => pool.Workers)
        .SelectMany(worker => worker.Lanes)
        .SelectMany(lane => lane.Started)
        .Where(task => task.State == TaskState.Running);

    /// <summary>When the ready task was accepted that was accepted first; null if none is ready.</summary>
    public long? OldestReady => All
        .SelectMany(pool => pool.Routes)
        .SelectMany(route => route.Queues)
        .Min(queue => queue.OldestAcceptedAt);

    /// <summary>The same of those that wait for a kind of lane of a worker process.</summary>
    public long? OldestReadyOf(WorkKind kind) => this[PlacementPolicy.WorkerProcess].Routes
        .Min(route => route.Queues[(int)kind].OldestAcceptedAt);

    public WorkerPool this[PlacementPolicy placement] => All[(int)placement];

    public WorkerPool Of(TaskRecord task) => All[(int)task.Policy.Placement];

    public WorkerPool Of(WorkerNode worker) => All[(int)worker.Description.Placement];

    /// <summary>The queue of a task whose name has been resolved to a handler.</summary>
    public ReadyQueue QueueOf(TaskRecord task) => RouteOf(task.Handler)!.Queues[Of(task).LaneOf(task.Handler.Kind)];

    /// <summary>The route on which a handler's tasks wait; null if no worker offers it. All routes are made here.</summary>
    public static HandlerRoute? RouteOf(HandlerProfile handler) => (HandlerRoute?)handler.Route;
}
