using Orchestrator.Coordinator.Mapping;
using Orchestrator.Coordinator.Supervision;
using Orchestrator.Coordinator.Telemetry;

namespace Orchestrator.Coordinator.Metrics;

/// <summary>The worker processes, and how often and how fast they were replaced.</summary>
internal sealed class WorkerMeasurements(StatusReporter status, RestartTally restarts) : IMeasurementSource
{
    private static readonly V1.WorkerState[] States =
        [.. Enum.GetValues<V1.WorkerState>().Where(state => state != V1.WorkerState.Unspecified)];

    public void Write(IMeasurements to)
    {
        foreach (var worker in status.Workers())
        {
            string[] labels = [worker.Name, worker.Group];
            foreach (var state in States)
                to.Add(Instruments.WorkerState, worker.State == state ? 1 : 0, [.. labels, EnumTags.Of(state)]);
            to.Add(Instruments.WorkerProcessor, worker.CpuPercent / 100, labels);
            to.Add(Instruments.WorkerMemory, worker.RssBytes, labels);
            to.Add(Instruments.WorkerThreads, worker.Threads, labels);
            to.Add(Instruments.WorkerTasks, worker.RunningCpu, [.. labels, "cpu"]);
            to.Add(Instruments.WorkerTasks, worker.RunningIo, [.. labels, "io"]);
            to.Add(Instruments.WorkerTasks, worker.RunningBlocking, [.. labels, "blocking"]);
            to.Add(Instruments.WorkerPrefetched, worker.PrefetchedTasks, labels);
        }

        foreach (var (group, cause, count) in restarts.Counts())
            to.Add(Instruments.WorkerRestarts, count, group, EnumTags.Of(cause));
        foreach (var (group, buckets) in restarts.Takeovers())
            to.Add(Instruments.WorkerTakeoverDuration, buckets, group);
    }
}
