using Orchestrator.Worker.Execution.Lanes;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Worker.Execution;

/// <summary>The lanes of an executor.</summary>
internal sealed class ExecutorLayout
{
    private readonly Func<LaneServices, ExecutorLanes> _build;

    private ExecutorLayout(bool inProcess, int cpuSlots, int ioSlots, int blockingSlots, Func<LaneServices, ExecutorLanes> build)
    {
        IsInProcess = inProcess;
        CpuSlots = cpuSlots;
        IoSlots = ioSlots;
        BlockingSlots = blockingSlots;
        _build = build;
    }

    /// <summary>True for all layouts but <see cref="Worker"/>: the handlers share their process with the coordinator.</summary>
    public bool IsInProcess { get; }

    /// <summary>How many CPU tasks run at once.</summary>
    public int CpuSlots { get; }

    /// <summary>How many IO tasks run at once.</summary>
    public int IoSlots { get; }

    /// <summary>How many blocking tasks run at once.</summary>
    public int BlockingSlots { get; }

    /// <summary>A worker process: one CPU thread, asynchronous IO, and threads for blocking tasks on demand.</summary>
    public static ExecutorLayout Worker(int ioSlots, int blockingThreads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ioSlots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(blockingThreads, 1);
        return new(false, 1, ioSlots, blockingThreads, services => new(
            new ThreadLane(services, "cpu", 1, ThreadLane.KeepForever),
            new AsyncLane(services, ioSlots),
            new ThreadLane(services, "blocking", blockingThreads, ThreadLane.DefaultIdleTimeout)));
    }

    /// <summary>Everything on one thread, one after the other.</summary>
    public static ExecutorLayout Sequential() => new(true, 1, 1, 1, services =>
    {
        var lane = new ThreadLane(services, "sequential", 1, ThreadLane.KeepForever);
        return new(lane, lane, lane);
    });

    /// <summary>Everything on <paramref name="count"/> dedicated threads.</summary>
    public static ExecutorLayout Threads(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(true, count, count, count, services =>
        {
            var lane = new ThreadLane(services, "threads", count, ThreadLane.DefaultIdleTimeout);
            return new(lane, lane, lane);
        });
    }

    /// <summary>Everything at once on the asynchronous scheduler, at most <paramref name="maxConcurrent"/> tasks.</summary>
    public static ExecutorLayout Async(int maxConcurrent)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxConcurrent, 1);
        return new(true, maxConcurrent, maxConcurrent, maxConcurrent, services =>
        {
            var lane = new AsyncLane(services, maxConcurrent);
            return new(lane, lane, lane);
        });
    }

    internal ExecutorLanes Build(LaneServices services) => _build(services);
}

/// <summary>The lane of each kind; one lane may serve several.</summary>
internal sealed record ExecutorLanes(ILane Cpu, ILane Io, ILane Blocking)
{
    public ILane For(HandlerKind kind) => kind switch
    {
        HandlerKind.Cpu => Cpu,
        HandlerKind.Io => Io,
        _ => Blocking,
    };
}
