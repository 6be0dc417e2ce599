using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>A simulated worker process: three FIFO lanes, a flight recorder, and delayed messages in both directions.</summary>
internal sealed class SimulatedWorker(SimulatedWorld world, string name)
{
    private static readonly int[] Slots = [1, 3, 2];

    private readonly List<AttemptAssignment>[] _waiting = [[], [], []];
    private readonly List<(AttemptAssignment Attempt, TimeSpan StartedAt)>[] _running = [[], [], []];
    private readonly HashSet<long> _cancelled = [];
    private List<AttemptReport> _results = [];
    private List<AttemptId> _returned = [];

    public string Name => name;

    public WorkerNode View { get; set; } = null!;

    public byte[] Recorder { get; } = new byte[64];

    public bool IsDead { get; set; }

    public Queue<object> Incoming { get; } = new();

    public IEnumerable<long> RunningTasks => _running.SelectMany(lane => lane).Select(item => item.Attempt.Task.Id);

    /// <summary>Reads one message from the coordinator.</summary>
    public bool Read()
    {
        if (!Incoming.TryDequeue(out var message))
            return false;
        switch (message)
        {
            case AttemptAssignment assignment:
                // The coordinator clears the byte before it sends.
                Recorder[assignment.Slot] = FlightRecord.Assigned;
                _waiting[(int)assignment.Task.Handler.Kind].Add(assignment);
                break;
            case AttemptSignal { Kind: SignalKind.Cancel } cancel:
                if (TakeWaiting(cancel.TaskId) is { } unstarted)
                    _results.Add(new AttemptReport(cancel.TaskId, unstarted.Attempt, null, 0,
                        new TaskFailure(FailureReason.Cancelled, "") { Rung = CancelRung.BeforeStart }, 0));
                else
                    _cancelled.Add(cancel.TaskId);
                break;
            case AttemptSignal giveBack:
                if (TakeWaiting(giveBack.TaskId) is { } returned)
                    _returned.Add(new AttemptId(returned.Task.Id, returned.Attempt));
                break;
        }

        return true;
    }

    public bool StartNext(int lane)
    {
        if (_waiting[lane].Count == 0 || _running[lane].Count >= Slots[lane])
            return false;
        var next = _waiting[lane][0];
        _waiting[lane].RemoveAt(0);
        Recorder[next.Slot] = FlightRecord.Started;
        world.CodeStarts(this, next.Task.Id);
        _running[lane].Add((next, world.Now));
        return true;
    }

    /// <summary>Ends one running attempt: it obeys its cancellation, fails or succeeds.</summary>
    public bool FinishOne(int how)
    {
        var lane = Enumerable.Range(0, 3).Select(i => (i + how) % 3).FirstOrDefault(i => _running[i].Count > 0, -1);
        if (lane < 0)
            return false;
        var index = how % _running[lane].Count;
        var (attempt, startedAt) = _running[lane][index];
        _running[lane].RemoveAt(index);
        Recorder[attempt.Slot] = FlightRecord.Ended;
        world.CodeEnds(attempt.Task.Id);
        var cancelled = _cancelled.Remove(attempt.Task.Id);
        var failure = cancelled && how % 2 == 0
            ? new TaskFailure(FailureReason.Cancelled, "") { Rung = CancelRung.Cooperative }
            : how % 5 == 4 ? new TaskFailure(FailureReason.HandlerFailed, "it threw") : null;
        _results.Add(new AttemptReport(
            attempt.Task.Id, attempt.Attempt, failure is null ? this : null, 10, failure, Math.Max(1, (world.Now - startedAt).Ticks)));
        return true;
    }

    public TaskCommand.Report TakeReport()
    {
        var report = new TaskCommand.Report(View, _results) { Returned = _returned };
        (_results, _returned) = ([], []);
        return report;
    }

    private AttemptAssignment? TakeWaiting(long taskId)
    {
        foreach (var lane in _waiting)
        {
            var index = lane.FindIndex(item => item.Task.Id == taskId);
            if (index < 0)
                continue;
            var found = lane[index];
            lane.RemoveAt(index);
            return found;
        }

        return null;
    }
}
