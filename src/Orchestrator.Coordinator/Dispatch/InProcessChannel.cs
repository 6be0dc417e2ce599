using System.Runtime.InteropServices;
using Orchestrator.Coordinator.EngineHosts;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Tasks;
using Orchestrator.Worker.V1;

namespace Orchestrator.Coordinator.Dispatch;

/// <summary>
/// One in-process placement: the same handlers on the same lanes as in a worker, inside the coordinator. To the engine it is a worker that
/// cannot die alone and cannot be killed.
/// </summary>
internal sealed class InProcessChannel : IWorkerChannel, IAttemptResultWriter, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly TaskEngineHost _host;
    private readonly TaskExecutor _executor;
    private readonly WorkerNode _view;
    private List<RawAssignment> _assignments = [];
    private List<AttemptSignal> _signals = [];
    private List<AttemptReport> _results = [];
    private List<AttemptId> _returned = [];
    private List<AttemptUpdate> _updates = [];
    private int _reporting;

    public InProcessChannel(
        TaskEngineHost host, PlacementPolicy placement, ExecutorLayout layout, TaskHandlerRegistry handlers, IServiceProvider services,
        TimeProvider time)
    {
        _host = host;
        _executor = new TaskExecutor(handlers, services, layout, this, recorder: null, time)
        {
            WorkerName = "in-process",
            LargestOutput = host.Options.LargestPayload,
        };
        var offers = handlers.Handlers.Select(handler => HandlerOffers.Of(handler.ToHandlerInfo())).ToArray();
        // Prefetch gains nothing here: the queue of a full lane is as close as the engine's queue.
        var description = new WorkerDescription(
            "", placement, layout.CpuSlots, 0, 0, layout.CpuSlots + host.Options.MaxCredits + 1, RecordsFlight: true);
        _view = host.Apply(new TaskCommand.WorkerJoined(description, offers, this), effects => effects.Joined!)!;
    }

    public void Queue(ReadOnlySpan<AttemptAssignment> assignments)
    {
        lock (_gate)
        {
            foreach (ref readonly var assignment in assignments)
                _assignments.Add(Assignments.ToMessage(assignment));
        }
    }

    public void Queue(in AttemptSignal signal)
    {
        lock (_gate)
            _signals.Add(signal);
    }

    public void Flush(bool alone)
    {
        List<RawAssignment> assignments;
        List<AttemptSignal> signals;
        lock (_gate)
        {
            (assignments, _assignments) = (_assignments, []);
            (signals, _signals) = (_signals, []);
        }

        if (assignments.Count > 0)
            _executor.Start(CollectionsMarshal.AsSpan(assignments));
        foreach (var signal in signals)
        {
            if (signal.Kind == SignalKind.Cancel)
                _executor.Cancel((ulong)signal.TaskId, signal.Attempt);
            else
                _executor.GiveBack([new AttemptRef { TaskId = (ulong)signal.TaskId, Attempt = signal.Attempt }]);
        }
    }

    public void Completed(in RawAttemptResult result)
    {
        lock (_gate)
            _results.Add(WorkerMessageMapper.ToReport(result, _host.Options.LargestPayload));
    }

    public void Event(RawAttemptEvent attemptEvent)
    {
        if (WorkerMessageMapper.ToUpdate(attemptEvent, _host.Options.LargestPayload) is not { } update)
            return;
        lock (_gate)
            _updates.Add(update);
    }

    public void Returned(AttemptRef attempt)
    {
        lock (_gate)
            _returned.Add(new AttemptId((long)attempt.TaskId, attempt.Attempt));
    }

    void IAttemptResultWriter.Flush(bool busy)
    {
        // One reporter at a time, on a pool thread: the lane's thread continues with its next task, and tasks that complete meanwhile join
        // the next report.
        if (Interlocked.CompareExchange(ref _reporting, 1, 0) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static channel => channel.ReportAll(), this, preferLocal: false);
    }

    public async ValueTask DisposeAsync() => await _executor.DisposeAsync();

    private void ReportAll()
    {
        while (true)
        {
            while (TakeReport() is { } report)
                _host.Apply(report);
            Volatile.Write(ref _reporting, 0);
            lock (_gate)
            {
                if (_results.Count + _returned.Count + _updates.Count == 0)
                    return;
            }

            if (Interlocked.CompareExchange(ref _reporting, 1, 0) != 0)
                return;
        }
    }

    private TaskCommand.Report? TakeReport()
    {
        lock (_gate)
        {
            if (_results.Count + _returned.Count + _updates.Count == 0)
                return null;
            var report = new TaskCommand.Report(_view, _results) { Returned = _returned, Updates = _updates };
            (_results, _returned, _updates) = ([], [], []);
            return report;
        }
    }
}
