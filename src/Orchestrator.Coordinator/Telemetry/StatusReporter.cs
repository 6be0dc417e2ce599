using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Services;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>Builds the status that operators see.</summary>
internal sealed class StatusReporter(
    TaskEngineHost host, ObjectEngineHost objects, WorkerSupervisor supervisor, StreamRegistry streams, ProcessSampler sampler,
    HandlerWindows windows, MemoryBudget memory, CoordinatorOptions options, MonotonicClock clock)
{
    private static readonly string Version = typeof(StatusReporter).Assembly.GetName().Version?.ToString(3) ?? "0";

    private volatile int _threads;

    /// <summary>The coordinator's threads.</summary>
    public int Threads
    {
        get
        {
            try
            {
                _threads = Directory.GetDirectories("/proc/self/task").Length;
            }
            catch (IOException)
            {
                // Out of file descriptors: the status is needed especially then, and the last count is close enough.
            }

            return _threads;
        }
    }

    public V1.ServiceStatus Report()
    {
        var (cpu, rate) = sampler.Rates();
        var status = new V1.ServiceStatus
        {
            Version = Version,
            Instance = streams.Instance,
            Streams = streams.Count,
            KeptBytes = (ulong)memory.Used,
            KeptBytesLimit = (ulong)memory.Limit,
            AllowsChaos = options.AllowChaos,
            Coordinator = new V1.ProcessInfo
            {
                Pid = Environment.ProcessId,
                CpuPercent = Math.Round(cpu, 1),
                RssBytes = (ulong)Environment.WorkingSet,
                Threads = Threads,
                StartedAt = Timestamp.FromDateTimeOffset(clock.StartedAt),
            },
        };
        (status.Sessions, status.Queues, status.QueuedItems) = objects.Read(
            (view, _) => (view.SessionCount, view.QueueCount, view.QueuedItemCount));
        var workers = supervisor.Status;
        host.Read(view =>
        {
            status.Draining = view.IsDraining;
            status.Tasks = ToCounts(view.Tally);
            status.Tasks.PerSecond = Math.Round(rate, 1);
            foreach (var placement in System.Enum.GetValues<PlacementPolicy>())
            {
                foreach (var handler in view.HandlersOf(placement))
                {
                    if (handler.Tally.EndedTotal + handler.Tally.Queued + handler.Tally.Running > 0)
                        status.Handlers.Add(ToStats(handler, placement));
                }
            }

            status.Window = windows.Report(view);
            if (view.OldestReady is { } oldest)
                status.OldestQueued = WorkerMessageMapper.ToDuration(Math.Max(0, clock.Now.Ticks - oldest));
            foreach (var worker in workers)
                status.Workers.Add(ToInfo(worker));
            return 0;
        });
        return status;
    }

    /// <summary>The workers alone.</summary>
    public IReadOnlyList<V1.WorkerInfo> Workers()
    {
        var workers = supervisor.Status;
        return host.Read(_ => workers.Select(ToInfo).ToArray());
    }

    /// <summary>The handler's name in what operators see: in-process runs of it are a population of their own.</summary>
    public static string NameOf(HandlerProfile handler, PlacementPolicy placement) =>
        placement == PlacementPolicy.WorkerProcess ? handler.Name : $"{handler.Name}@{placement.ToString().ToLowerInvariant()}";

    private V1.WorkerInfo ToInfo(WorkerStatus worker)
    {
        var info = new V1.WorkerInfo
        {
            Name = worker.Name,
            Group = worker.Group,
            Incarnation = worker.Incarnation,
            State = StateOf(worker),
            Pid = worker.Pid,
            Core = worker.Core,
            Socket = worker.Socket,
            Restarts = worker.Restarts,
            LastExit = worker.LastExit,
            Runtime = worker.Runtime,
        };
        if (worker.Pid != 0)
            info.StartedAt = Timestamp.FromDateTimeOffset(clock.ToWallClock(worker.StartedAt));
        if (worker.View is { } view)
        {
            info.RunningTasks = view.Running;
            info.RunningCpu = view.RunningOf(WorkKind.Cpu);
            info.RunningIo = view.RunningOf(WorkKind.Io);
            info.RunningBlocking = view.RunningOf(WorkKind.Blocking);
            if (view.LongestRunning is { } task)
            {
                info.Current = new V1.RunningAttempt
                {
                    TaskId = (ulong)task.Id,
                    Handler = task.Handler.Name,
                    Running = WorkerMessageMapper.ToDuration(Math.Max(0, clock.Now.Ticks - task.StartedAt)),
                };
            }

            info.PrefetchedTasks = view.Prefetched;
            info.CompletedTasks = view.Succeeded;
            info.FailedTasks = view.Failed;
        }

        info.LeftOutHandlers.AddRange(worker.LeftOut);
        if (worker.Vitals is { } vitals)
        {
            info.CpuPercent = Math.Round(vitals.CpuPercent, 1);
            info.RssBytes = vitals.RssBytes;
            info.Threads = vitals.Threads;
        }

        return info;
    }

    private static V1.WorkerState StateOf(WorkerStatus worker) => worker switch
    {
        { HasFailed: true } => V1.WorkerState.Failed,
        { IsBackingOff: true } => V1.WorkerState.BackingOff,
        { IsReady: true } => V1.WorkerState.Ready,
        { IsDraining: true } => V1.WorkerState.Draining,
        _ => V1.WorkerState.Starting,
    };

    private static V1.HandlerStats ToStats(HandlerProfile handler, PlacementPolicy placement) => new()
    {
        Handler = NameOf(handler, placement),
        Counts = ToCounts(handler.Tally),
        RunP50 = ToDuration(handler.RunTimes.Quantile(0.5)),
        RunP99 = ToDuration(handler.RunTimes.Quantile(0.99)),
        LatencyP50 = ToDuration(handler.Latencies.Quantile(0.5)),
        LatencyP99 = ToDuration(handler.Latencies.Quantile(0.99)),
    };

    private static Duration? ToDuration(long? ticks) => ticks is { } value ? WorkerMessageMapper.ToDuration(value) : null;

    private static V1.TaskCounts ToCounts(TaskTally tally) => new()
    {
        Accepted = tally.Accepted,
        Queued = tally.Queued,
        Running = tally.Running,
        Succeeded = tally.Ended(TaskState.Succeeded),
        Failed = tally.Ended(TaskState.Failed),
        Cancelled = tally.Ended(TaskState.Cancelled),
        TimedOut = tally.Ended(TaskState.TimedOut),
        WorkerLost = tally.Ended(TaskState.WorkerLost),
        Retried = tally.Retried,
    };

}
