using Orchestrator.Coordinator.Security;
using Prometheus;

namespace Orchestrator.Coordinator.Telemetry;

/// <summary>
/// The content of <c>/metrics</c> in Prometheus text format: the same numbers as <c>orchestrator status</c> and <c>orchestrator limits</c>,
/// computed on request, so that they cost nothing in between.
/// </summary>
internal sealed class PrometheusCollector
{
    private readonly StatusReporter _status;
    private readonly LimitReporter _limits;
    private readonly SecurityInstruments _security;
    private readonly Counter _ended;
    private readonly Counter _retried;
    private readonly Gauge _tasks;
    private readonly Gauge _runTime;
    private readonly Gauge _latency;
    private readonly Gauge _ready;
    private readonly Gauge _restarts;
    private readonly Gauge _workerMemory;
    private readonly Gauge _workerProcessor;
    private readonly Gauge _workerTasks;
    private readonly Gauge _streams;
    private readonly Gauge _used;
    private readonly Gauge _limit;
    private readonly Gauge _draining;
    private readonly Counter _refused;
    private readonly Counter _processor;
    private readonly Gauge _memory;
    private readonly Gauge _threads;

    public PrometheusCollector(StatusReporter status, LimitReporter limits, SecurityInstruments security)
    {
        (_status, _limits, _security) = (status, limits, security);
        var make = Metrics.WithCustomRegistry(Registry);
        _ended = make.CreateCounter(
            "orchestrator_tasks_ended_total", "Tasks that have ended, by handler and end state", "handler", "state");
        _retried = make.CreateCounter("orchestrator_tasks_retried_total", "Attempts beyond a task's first");
        _tasks = make.CreateGauge("orchestrator_tasks", "Tasks that have not ended", "state");
        _runTime = make.CreateGauge("orchestrator_task_run_seconds", "Run time of a handler's attempts", "handler", "quantile");
        _latency = make.CreateGauge("orchestrator_task_latency_seconds", "From a task's acceptance to its end", "handler", "quantile");
        _ready = make.CreateGauge("orchestrator_worker_ready", "1 where the worker takes tasks", "worker", "group");
        _restarts = make.CreateGauge("orchestrator_worker_restarts", "How often the worker's place was filled anew", "worker", "group");
        _workerMemory = make.CreateGauge("orchestrator_worker_resident_memory_bytes", "Resident memory of the worker", "worker", "group");
        _workerProcessor = make.CreateGauge("orchestrator_worker_cpu_ratio", "Share of one core that the worker uses", "worker", "group");
        _workerTasks = make.CreateGauge("orchestrator_worker_running_tasks", "Tasks that run in the worker", "worker", "group");
        _streams = make.CreateGauge("orchestrator_streams", "Open task streams");
        _used = make.CreateGauge("orchestrator_limit_used", "How far a limit is used", "limit", "unit");
        _limit = make.CreateGauge("orchestrator_limit", "The limit", "limit", "unit");
        _draining = make.CreateGauge("orchestrator_draining", "1 where no new work is taken");
        _refused = make.CreateCounter("orchestrator_refused_calls_total",
            "Calls without a credential, or with one that is wrong, expired or another's, and connections of other users to the socket");
        _processor = make.CreateCounter("process_cpu_seconds_total", "Processor time of the coordinator");
        _memory = make.CreateGauge("process_resident_memory_bytes", "Resident memory of the coordinator");
        _threads = make.CreateGauge("process_threads", "Threads of the coordinator");
        Registry.AddBeforeCollectCallback(Collect);
    }

    /// <summary>The registry that is served.</summary>
    public CollectorRegistry Registry { get; } = Metrics.NewCustomRegistry();

    private void Collect()
    {
        var status = _status.Report();
        _tasks.WithLabels("queued").Set(status.Tasks.Queued);
        _tasks.WithLabels("running").Set(status.Tasks.Running);
        _retried.IncTo(status.Tasks.Retried);
        foreach (var handler in status.Handlers)
            Collect(handler);
        CollectWorkers(status.Workers);
        _streams.Set(status.Streams);
        _draining.Set(status.Draining ? 1 : 0);
        foreach (var limit in _limits.Shared())
        {
            _used.WithLabels(limit.Name, limit.Unit).Set(limit.Used);
            if (limit.Maximum > 0)
                _limit.WithLabels(limit.Name, limit.Unit).Set(limit.Maximum);
        }

        _refused.IncTo(_security.RefusedCalls);
        _processor.IncTo(Environment.CpuUsage.TotalTime.TotalSeconds);
        _memory.Set(status.Coordinator.RssBytes);
        _threads.Set(status.Coordinator.Threads);
    }

    private void Collect(V1.HandlerStats handler)
    {
        (string State, long Count)[] ends =
        [
            ("succeeded", handler.Counts.Succeeded), ("failed", handler.Counts.Failed), ("cancelled", handler.Counts.Cancelled),
            ("timed_out", handler.Counts.TimedOut), ("worker_lost", handler.Counts.WorkerLost),
        ];
        foreach (var (state, count) in ends)
            _ended.WithLabels(handler.Handler, state).IncTo(count);
        (Gauge Gauge, string Quantile, Google.Protobuf.WellKnownTypes.Duration? Time)[] times =
        [
            (_runTime, "0.5", handler.RunP50), (_runTime, "0.99", handler.RunP99), (_latency, "0.5", handler.LatencyP50),
            (_latency, "0.99", handler.LatencyP99),
        ];
        foreach (var (gauge, quantile, time) in times)
        {
            if (time is not null)
                gauge.WithLabels(handler.Handler, quantile).Set(time.ToTimeSpan().TotalSeconds);
        }
    }

    private void CollectWorkers(IEnumerable<V1.WorkerInfo> workers)
    {
        Gauge[] all = [_ready, _restarts, _workerMemory, _workerProcessor, _workerTasks];
        var removed = _ready.GetAllLabelValues().Select(labels => (Worker: labels[0], Group: labels[1])).ToHashSet();
        foreach (var worker in workers)
        {
            removed.Remove((worker.Name, worker.Group));
            string[] labels = [worker.Name, worker.Group];
            _ready.WithLabels(labels).Set(worker.State == V1.WorkerState.Ready ? 1 : 0);
            _restarts.WithLabels(labels).Set(worker.Restarts);
            _workerMemory.WithLabels(labels).Set(worker.RssBytes);
            _workerProcessor.WithLabels(labels).Set(worker.CpuPercent / 100);
            _workerTasks.WithLabels(labels).Set(worker.RunningTasks);
        }

        // Workers removed by scaling down.
        foreach (var (worker, group) in removed)
        {
            foreach (var gauge in all)
                gauge.RemoveLabelled(worker, group);
        }
    }
}
