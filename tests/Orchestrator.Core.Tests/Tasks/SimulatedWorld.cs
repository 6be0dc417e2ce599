using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>
/// An engine among simulated workers that behave as real ones may: they read messages late, start and finish in any order between lanes,
/// ignore cancels, die with reports in flight. Every step checks the invariants that must hold at any time.
/// </summary>
internal sealed partial class SimulatedWorld
{
    // The two groups share two handlers; each also has handlers that the other lacks.
    private static readonly string[] Groups = ["net", "python"];
    private static readonly Dictionary<string, string[]> HandlersOf =
        new() { ["net"] = ["cpu", "io", "blocking", "slow"], ["python"] = ["cpu", "io", "train"] };

    private readonly string[] _handlers;
    private readonly bool _twoGroups;

    private readonly TaskEffects _effects = new();
    private readonly Dictionary<long, long> _ends = [];
    private readonly Dictionary<long, SimulatedWorker> _runningCode = [];
    private readonly List<TaskRecord> _accepted = [];
    private readonly List<SimulatedWorker> _graves = [];
    private readonly HashSet<string> _givenUp = [];
    // Permits of rate limiters: those that the engine waits for, and how many it has received and not returned.
    private readonly List<PermitQueue> _asked = [];
    private HashSet<TaskRecord> _heldPermits = [];
    private int _granted;
    private int _rateLimitedStarts;
    private int _incarnations;
    private SimulatedWorker? _joining;

    public SimulatedWorld(bool twoGroups = false)
    {
        _twoGroups = twoGroups;
        _handlers = twoGroups ? [.. HandlersOf.Values.SelectMany(names => names).Distinct()] : HandlersOf["net"];
        Engine = new TaskEngine(new TaskEngineOptions
        {
            MaxDeliveredResults = 50,
            ResultTtl = TimeSpan.FromSeconds(5),
            WorkerGroups = twoGroups ? Groups : []
        });
        Engine.View.Spans.Log.Switch(true);
        // Nothing is folded, so that each attempt is found.
        Engine.View.Spans.Log.FoldWidth = TimeSpan.Zero;
    }

    public TaskEngine Engine { get; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1);

    public List<SimulatedWorker> Workers { get; } = [];

    public List<RecordingOwner> Owners { get; } = [];

    public IReadOnlyList<TaskRecord> Accepted => _accepted;

    public void Step(int op, int a, int b)
    {
        switch (op % 16)
        {
            case 0 or 1 or 2:
                Submit(a, b);
                break;
            case 3 or 4 or 5:
                PickWorker(a)?.Read();
                break;
            case 6 or 7:
                PickWorker(a)?.StartNext(b % 3);
                break;
            case 8 or 9:
                PickWorker(a)?.FinishOne(b);
                break;
            case 10 or 11:
                if (PickWorker(a) is { } reporter)
                    Flush(reporter);
                break;
            case 12 when a % 3 == 0:
                AnswerOnePermit(a, b);
                break;
            case 12:
                Advance(TimeSpan.FromMilliseconds(b % 4 == 0 ? a * 40 : a % 8));
                break;
            case 13:
                Cancel(a, b);
                break;
            case 14:
                DisturbWorkers(a, b);
                break;
            default:
                DisturbOwners(a, b);
                break;
        }

        CheckInvariants();
    }

    public SimulatedWorker Join(string? group = null)
    {
        group ??= _twoGroups ? Groups[_incarnations % 2] : Groups[0];
        var name = $"worker-{(_incarnations % 3) + 1}#{++_incarnations}";
        var worker = new SimulatedWorker(this, name);
        Workers.Add(worker);
        _givenUp.Remove(group);
        _joining = worker;
        Apply(new TaskCommand.WorkerJoined(
            new WorkerDescription(name, PlacementPolicy.WorkerProcess, 1, 3, 2, 64, RecordsFlight: true) { Group = group },
            [.. HandlersOf[group].Select(handler => new HandlerOffer(
                handler, handler switch { "io" => WorkKind.Io, "blocking" => WorkKind.Blocking, _ => WorkKind.Cpu }, null))]));
        return worker;
    }

    public void Apply(TaskCommand command)
    {
        Engine.Apply(command, Now, _effects);
        Route();
    }

    public void Advance(TimeSpan by)
    {
        Now += by;
        Engine.Tick(Now, _effects);
        Route();
    }

    public void Flush(SimulatedWorker worker)
    {
        var report = worker.TakeReport();
        Apply(report);
    }

    /// <summary>Lets everything run to its end with well-behaved workers.</summary>
    public void RunToTheEnd()
    {
        for (var round = 0; round < 2_000 && Engine.View.Unfinished > 0; round++)
        {
            foreach (var group in _twoGroups ? Groups : Groups[..1])
            {
                if (!Workers.Exists(worker => !worker.View.IsClosed && worker.View.Description.Group == group))
                    Join(group);
            }

            foreach (var worker in Workers.ToArray())
            {
                while (worker.Read())
                {
                }

                for (var lane = 0; lane < 3; lane++)
                {
                    while (worker.StartNext(lane))
                    {
                    }
                }

                while (worker.FinishOne(1))
                {
                }

                Flush(worker);
            }

            while (_asked.Count > 0)
                AnswerOnePermit(0, 1);
            CheckInvariants();
            Advance(TimeSpan.FromMilliseconds(100));
        }

        Assert.True(Engine.View.Unfinished == 0, string.Join("; ", _accepted.Where(task => !task.HasEnded).Select(
            task => $"task {task.Id} attempt {task.Attempt} is {task.Phase} at {task.Worker} ({task.Intent}, {task.Flags})")));
        foreach (var task in _accepted)
        {
            Assert.True(task.HasEnded, $"task {task.Id} is {task.Phase}");
            Assert.True(_ends.ContainsKey(task.Id));
        }

        CheckSpans();
        Assert.Equal(_accepted.Count, Engine.View.Tally.EndedTotal);
        Assert.Equal(0, Engine.View.Tally.Queued);
        Assert.Equal(0, Engine.View.Tally.Running);
        foreach (var owner in Owners.Where(owner => !owner.IsGone))
            Assert.Equal(owner.Expected.Order(), owner.Delivered.Select(item => item.Tag).Order());
    }

    public void CodeStarts(SimulatedWorker worker, long taskId)
    {
        Assert.False(_runningCode.ContainsKey(taskId), $"two live attempts of task {taskId}");
        _runningCode.Add(taskId, worker);
    }

    public void CodeEnds(long taskId) => _runningCode.Remove(taskId);

    /// <summary>The process ends; the coordinator learns of it at once, while its last reports may still be in flight.</summary>
    public void Kill(SimulatedWorker worker)
    {
        if (!Workers.Remove(worker))
            return;
        foreach (var task in worker.RunningTasks)
            CodeEnds(task);
        worker.IsDead = true;
        _graves.Add(worker);
        Apply(new TaskCommand.WorkerLost(
            worker.View, (byte[])worker.Recorder.Clone(),
            new WorkerPostMortem(worker.Name, 1, null, "SIGKILL (9)", false, 0, TimeSpan.Zero, [])));
    }

    private void Submit(int a, int b)
    {
        var owner = Owners.Count > 0 && b % 3 != 0 ? Owners[a % Owners.Count] : null;
        if (owner is { IsGone: true })
            owner = null;
        var count = 1 + (a % 5);
        var submissions = Enumerable.Range(0, count).Select(i => Random(a + (i * 7), b + i)).ToArray();
        Engine.Apply(new TaskCommand.Submit(submissions, owner), Now, _effects);
        owner?.Expected.AddRange(_effects.Submitted.Where(outcome => outcome.Task is not null).Select(outcome => outcome.Tag));
        Route();
    }

    private TaskSubmission Random(int a, int b)
    {
        var policy = TaskPolicy.Default with
        {
            Priority = a % 3,
            FairnessKey = b % 4 == 0 ? "other" : "",
            FairnessWeight = 1 + (b % 2),
            ConcurrencyKey = a % 11 == 0 ? "gate" : "",
            ConcurrencyLimit = 2,
            RateLimiter = b % 9 == 0 ? $"limiter-{a % 2}" : "",
            AffinityKey = a % 13 == 0 ? $"home-{b % 2}" : "",
            QueueTimeout = a % 17 == 0 ? TimeSpan.FromMilliseconds(20 * (b % 5)) : null,
            RunTimeout = b % 7 == 0 ? TimeSpan.FromMilliseconds(50) : null,
            TotalTimeout = b % 19 == 0 ? TimeSpan.FromMilliseconds(500) : null,
            CancelGrace = a % 2 == 0 ? TimeSpan.FromMilliseconds(30) : null,
            Retry = b % 5 == 0 ? new RetryRule(3, TimeSpan.FromMilliseconds(10), 2, TimeSpan.FromSeconds(1), a % 2 == 0) : null,
            DependsOn = a % 6 == 0 && _accepted.Count > 0 ? [_accepted[b % _accepted.Count].Id] : [],
        };
        var handler = b % 41 == 40 ? "unknown" : _handlers[a % _handlers.Length];
        return new TaskSubmission(handler, policy, this, 10, (ulong)(a * b), b % 23 == 0 ? $"request-{a % 5}" : "");
    }

    private void Cancel(int a, int b)
    {
        if (_accepted.Count == 0)
            return;
        Apply(new TaskCommand.Cancel([_accepted[^(1 + (a % Math.Min(_accepted.Count, 12)))].Id], Force: b % 3 == 0));
    }

    private void AnswerOnePermit(int a, int b)
    {
        if (_asked.Count == 0)
            return;
        var queue = _asked[a % _asked.Count];
        _asked.Remove(queue);
        if (b % 10 == 0)
        {
            Apply(new TaskCommand.PermitRefused(queue, FailureReason.NotFound, "it was deleted"));
            return;
        }

        _granted++;
        Apply(new TaskCommand.PermitGranted(queue));
    }

    private void DisturbWorkers(int a, int b)
    {
        switch (b % 6)
        {
            case 4:
                Despair(Groups[_twoGroups ? a % 2 : 0]);
                break;
            case 5:
                Engine.Apply(new TaskCommand.GroupStarting(Groups[_twoGroups ? a % 2 : 0]), Now, _effects);
                _givenUp.Remove(Groups[_twoGroups ? a % 2 : 0]);
                Route();
                break;
            case 0 when Workers.Count < 4:
                Join();
                break;
            case 1 when PickWorker(a) is { } victim:
                Kill(victim);
                break;
            case 2 when PickWorker(a) is { } leaving:
                Apply(new TaskCommand.WorkerDraining(leaving.View));
                break;
            case 3 when _graves.Count > 0:
                // A report of a dead incarnation, delivered late, must change nothing.
                var before = Fingerprint();
                Apply(_graves[a % _graves.Count].TakeReport());
                Assert.Equal(before, Fingerprint());
                break;
        }
    }

    /// <summary>Gives up a group without a worker.</summary>
    private void Despair(string group)
    {
        if (Workers.Exists(worker => !worker.View.IsClosed && worker.View.Description.Group == group))
            return;
        _givenUp.Add(group);
        Apply(new TaskCommand.GroupGivenUp(new GroupLoss(group, $"group '{group}' was given up", null)));
    }

    private void DisturbOwners(int a, int b)
    {
        if (b % 3 != 0 || Owners.Count == 0)
        {
            if (Owners.Count < 6)
                Owners.Add(new RecordingOwner { DetachOnDisconnect = a % 2 == 0, FailFast = a % 5 == 0, WantsEvents = true });
            return;
        }

        var owner = Owners[a % Owners.Count];
        if (owner.IsGone)
            return;
        owner.IsGone = true;
        Apply(new TaskCommand.Abandon(owner));
    }

    private (long, long, long, int, int) Fingerprint() =>
        (Engine.View.Tally.Queued, Engine.View.Tally.Running, Engine.View.Tally.EndedTotal, Engine.View.Unfinished, Engine.View.Retained);

    private SimulatedWorker? PickWorker(int a) => Workers.Count == 0 ? null : Workers[a % Workers.Count];

    private void Route()
    {
        if (_effects.Joined is { } view)
            _joining!.View = view;
        foreach (var outcome in _effects.Submitted)
        {
            if (outcome.Task is { } task && !_accepted.Contains(task))
                _accepted.Add(task);
        }

        CheckOrder();
        _heldPermits = [.. _accepted.Where(task => task.Has(TaskFlags.HoldsRatePermit))];
        foreach (var order in _effects.Permits)
        {
            if (order.Kind == PermitOrderKind.Ask)
            {
                Assert.DoesNotContain(order.Queue, _asked);
                _asked.Add(order.Queue);
            }
            else
            {
                _granted--;
            }
        }

        _rateLimitedStarts += _effects.Assignments.Count(item => item.Task.Policy.RateLimiter.Length > 0);
        foreach (var assignment in _effects.Assignments)
            Workers.Single(worker => worker.View == assignment.Worker).Incoming.Enqueue(assignment);
        foreach (var signal in _effects.Signals)
            Workers.Find(worker => worker.View == signal.Worker)?.Incoming.Enqueue(signal);
        foreach (var delivery in _effects.Deliveries)
        {
            Assert.True(delivery.Task.HasEnded);
            ((RecordingOwner)delivery.Owner).Delivered.Add(delivery);
        }

        var orders = _effects.Orders.ToArray();
        CheckEnds();
        _effects.Clear();
        foreach (var order in orders)
        {
            var target = Workers.Find(worker => worker.View == order.Worker);
            if (target is null)
                continue;
            if (order.Kind == WorkerOrderKind.Kill)
                Kill(target);
            else
                Join(target.View.Description.Group);
        }
    }
}

internal sealed class RecordingOwner : TaskOwner
{
    public List<Delivery> Delivered { get; } = [];

    public List<ulong> Expected { get; } = [];

    public bool IsGone { get; set; }
}
