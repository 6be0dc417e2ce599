using Orchestrator.Cli.Guide.Rows;

namespace Orchestrator.Cli.Guide;

/// <summary>The rows, in the order of the guide.</summary>
internal static class GuideRows
{
    public static IReadOnlyList<GuideRow> All { get; } =
    [
        new FundamentalsRow(),
        new GilRow(),
        new CpuVsIoRow(),
        new PoolRow(),
        new DaemonRow(),
        new WorkerLocalRow(),
        new ProcessesRow(),
        new QueueRow(),
        new PipeRow(),
        new ManagerRow(),
        new ThreadsVsProcessesRow(),
        new AsyncRow(),
        new LimitRow(),
        new RaceRow(),
        new DeadlockRow(),
        new StarvationRow(),
        new PriorityInversionRow(),
        new LivelockRow(),
        new LockRow(),
        new RLockRow(),
        new SemaphoreRow(),
        new EventRow(),
        new ConditionRow(),
        new BarrierRow(),
        new FifoRow(),
        new LifoRow(),
        new PriorityRow(),
        new BoundedRow(),
        new RunInExecutorRow(),
        new ProducerConsumerRow(),
        new WorkerPoolRow(),
        new RateLimitRow(),
        new MetricsRow(),
        new BestPracticesRow(),
        new UnboundedRow(),
        new BlockingInAsyncRow(),
    ];
}
