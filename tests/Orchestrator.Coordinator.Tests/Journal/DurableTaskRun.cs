using Google.Protobuf;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Coordinator.Journal;
using Orchestrator.Coordinator.Mapping;
using Orchestrator.Core.Common;
using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Coordinator.Tests.Journal;

/// <summary>Random commands for durable tasks, and the journal records that they produce. The same seed produces the same run.</summary>
internal sealed class DurableTaskRun
{
    private static readonly ByteString s_input = ByteString.CopyFromUtf8("in");
    private static readonly TaskFailure s_thrown = new(FailureReason.HandlerFailed, "it threw");

    private readonly Random _random;
    private readonly TaskEffects _effects = new();
    private readonly TaskChangeMapper _writer = new(new JournalClock(Clock), new TaskResultMapper(Clock));
    private readonly List<WorkerNode> _workers = [];
    private readonly List<AttemptAssignment> _atWorkers = [];
    private readonly List<long> _durable = [];
    private readonly HashSet<long> _cancelled = [];
    private readonly HashSet<(long Task, long Dependency)> _met = [];
    private readonly List<string> _requests = [];
    private int _number;

    public DurableTaskRun(int seed) => _random = new Random(seed);

    public static MonotonicClock Clock { get; } = new(TimeProvider.System);

    public static TaskEngineOptions Options { get; } =
        new() { ResultTtl = TimeSpan.FromSeconds(4), CancelGrace = TimeSpan.FromSeconds(1), RequestIdWindow = TimeSpan.FromSeconds(30) };

    public TaskEngine Engine { get; } = new(Options);

    /// <summary>The journal: one record per step that changed something durable.</summary>
    public List<byte[]> Records { get; } = [];

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1);

    public void Step()
    {
        Now += TimeSpan.FromMilliseconds(_random.Next(300));
        switch (_random.Next(16))
        {
            case 0 when _workers.Count < 3:
                Apply(new TaskCommand.WorkerJoined(Worker($"w#{_number++}"), Handlers));
                _workers.Add(_effects.Joined!);
                break;
            case 1 when _workers.Count > 0:
                Kill(Any(_workers));
                break;
            case 2 or 3:
                Tick();
                break;
            case 4 or 5 or 6:
                Submit();
                break;
            case 7 or 8 or 9 or 10 or 11 when _atWorkers.Count > 0:
                Report();
                break;
            case 12 when _atWorkers.Count > 0:
                var back = Any(_atWorkers);
                Apply(new TaskCommand.Report(back.Worker, []) { Returned = [new AttemptId(back.Task.Id, back.Attempt)] });
                break;
            case 13 when _durable.Count > 0:
                Cancel(_durable[^_random.Next(1, Math.Min(_durable.Count, 8) + 1)]);
                break;
            case 14 when _workers.Count > 0:
                Apply(new TaskCommand.WorkerDraining(Any(_workers)));
                break;
            default:
                Tick();
                break;
        }
    }

    /// <summary>
    /// The expected state after a start from the current journal, by the rules of the contract and not by the engine's code: a task at a
    /// worker may have run, so it is lost or retried as its policy says; an ended task has ended so; all others wait on.
    /// </summary>
    public string AfterRestart()
    {
        var tasks = Durable(Engine).ToDictionary(task => task.Id);
        var expected = tasks.Values.ToDictionary(task => task.Id, AfterRestart);
        for (var more = true; more;)
        {
            more = false;
            foreach (var task in tasks.Values.Where(task => expected[task.Id].State == "open"))
            {
                if (!task.Policy.DependsOn.Any(id => HasFailed(task.Id, id)))
                    continue;
                expected[task.Id] = expected[task.Id] with { State = "Failed", Reason = FailureReason.DependencyFailed };
                more = true;
            }
        }

        return string.Join('\n', expected.Values.OrderBy(line => line.Id));

        // A dependency that was forgotten before the first worker joined, while its outcome was still unread, counts as failed.
        bool HasFailed(long task, long dependency) => expected.TryGetValue(dependency, out var other)
            ? other.State is not ("open" or "Succeeded")
            : !_met.Contains((task, dependency));
    }

    /// <summary>The actual state, in the same format.</summary>
    public static string Digest(TaskEngine engine) =>
        string.Join('\n', Durable(engine).OrderBy(task => task.Id).Select(task => Line(task, task.Attempt, task.EarlierAttempts.Count)));

    /// <summary>The task that each request id names, if it is sent again.</summary>
    public string Requests(TaskEngine engine, TimeSpan now)
    {
        var lines = new List<string>();
        foreach (var request in _requests.Distinct())
        {
            _effects.Clear();
            engine.Apply(
                new TaskCommand.Submit([new TaskSubmission("cpu", TaskPolicy.Default, s_input, 2, 0, request)], null), now, _effects);
            var outcome = _effects.Submitted.Single();
            // All new tasks are equal here: request ids older than the window are forgotten.
            lines.Add($"{request}: " +
                $"{(outcome.Task is { Policy.Durability: Durability.Memory }
                    ? "a new task" : $"{outcome.Task?.Id} {outcome.Refusal?.Reason}")}");
        }

        return string.Join('\n', lines);
    }

    /// <summary>Joins a worker to an engine, so that tasks with unresolved handler names are assigned to groups.</summary>
    public static WorkerNode Join(TaskEngine engine, TimeSpan now, TaskEffects effects)
    {
        engine.Apply(new TaskCommand.WorkerJoined(Worker("late#1"), Handlers), now, effects);
        return effects.Joined!;
    }

    /// <summary>The journal record of a step; null where nothing is written.</summary>
    public static byte[]? ToRecord(TaskEffects effects, TaskChangeMapper writer)
    {
        if (effects.Changes.Count == 0)
            return null;
        var record = new Coordinator.Journal.Wire.Record();
        record.Changes.AddRange(effects.Changes.Select(writer.ToWire));
        return record.ToByteArray();
    }

    private static WorkerDescription Worker(string name) => new(name, PlacementPolicy.WorkerProcess, 1, 3, 2, 2_048, RecordsFlight: true);

    private static HandlerOffer[] Handlers => [new("cpu", WorkKind.Cpu, null), new("io", WorkKind.Io, null)];

    private static IEnumerable<TaskRecord> Durable(TaskEngine engine) =>
        engine.View.NewestBefore(long.MaxValue).Where(task => task.Policy.Durability > Durability.Memory);

    private static TaskLine Line(TaskRecord task, int attempt, int earlier) => new(
        task.Id,
        task.HasEnded ? $"{task.State}" : "open",
        attempt,
        earlier,
        task.HasEnded ? task.Failure?.Reason ?? FailureReason.None : FailureReason.None,
        task.HasEnded ? (task.Output as ByteString)?.ToStringUtf8() ?? "" : "",
        task.Tag,
        task.AcceptedAt);

    private TaskLine AfterRestart(TaskRecord task)
    {
        var line = Line(task, task.Attempt, task.EarlierAttempts.Count);
        if (task.HasEnded)
            return line;
        if (_cancelled.Contains(task.Id))
            return line with { State = "Cancelled", Reason = FailureReason.Cancelled };
        if (!_atWorkers.Any(item => item.Task == task && item.Attempt == task.Attempt))
            return line;
        return task.Policy.Retry is { RetryWorkerLost: true } rule && task.Attempt < rule.MaxAttempts
            ? line with { Attempt = task.Attempt + 1, Earlier = line.Earlier + 1 }
            : line with { State = "WorkerLost", Reason = FailureReason.WorkerLost };
    }

    private void Submit()
    {
        var tasks = new TaskSubmission[_random.Next(1, 4)];
        for (var i = 0; i < tasks.Length; i++)
        {
            var level = (Durability)_random.Next(1, 4);
            var request = "";
            if (level > Durability.Memory && _random.Next(4) == 0)
                _requests.Add(request = $"r{_random.Next(40)}");
            var policy = new TaskPolicy
            {
                Durability = level,
                Retry = _random.Next(2) == 0 ? new RetryRule(
                    _random.Next(1, 4), TimeSpan.FromMilliseconds(200), 2, TimeSpan.FromSeconds(1), _random.Next(2) == 0) : null,
                DependsOn = _random.Next(4) == 0 && _durable.Count > 0 && Engine.View.Find(_durable[^1]) is { } other ? [other.Id] : [],
                QueueTimeout = _random.Next(12) == 0 ? TimeSpan.FromSeconds(2) : null,
                RunTimeout = _random.Next(8) == 0 ? TimeSpan.FromSeconds(1) : null,
                TotalTimeout = _random.Next(12) == 0 ? TimeSpan.FromSeconds(5) : null,
                ConcurrencyKey = _random.Next(8) == 0 ? "gate" : "",
                ResultTtl = _random.Next(4) == 0 ? TimeSpan.Zero : null,
            };
            tasks[i] = new TaskSubmission(_random.Next(2) == 0 ? "cpu" : "io", policy, s_input, 2, (ulong)_number++, request);
        }

        Apply(new TaskCommand.Submit(tasks, null));
        foreach (var outcome in _effects.Submitted)
        {
            if (outcome.Task is { Policy.Durability: > Durability.Memory } task && !_durable.Contains(task.Id))
                _durable.Add(task.Id);
        }
    }

    private void Report()
    {
        var item = Any(_atWorkers);
        var result = _random.Next(3) == 0
            ? new AttemptReport(item.Task.Id, item.Attempt, null, 0, s_thrown, 10)
            : new AttemptReport(item.Task.Id, item.Attempt, ByteString.CopyFromUtf8($"out {_number++}"), 6, null, 10);
        Apply(new TaskCommand.Report(item.Worker, [result]));
    }

    private void Cancel(long id)
    {
        // Read before the command, since cancelling a task at a worker only requests it.
        var wasThere = _atWorkers.Any(item => item.Task.Id == id);
        Apply(new TaskCommand.Cancel([id], Force: _random.Next(3) == 0));
        if (wasThere && _effects.Cancelled.Contains(id))
            _cancelled.Add(id);
    }

    private void Kill(WorkerNode worker)
    {
        _workers.Remove(worker);
        var recorder = new byte[2_048];
        for (var i = 0; i < recorder.Length; i++)
            recorder[i] = (byte)_random.Next(3);
        Apply(new TaskCommand.WorkerLost(
            worker, recorder, new WorkerPostMortem(worker.Name, 42, null, "SIGKILL (9)", false, 0, TimeSpan.Zero, [])));
    }

    private void Apply(TaskCommand command)
    {
        _effects.Clear();
        Engine.Apply(command, Now, _effects);
        Leave();
    }

    private void Tick()
    {
        _effects.Clear();
        Engine.Tick(Now, _effects);
        Leave();
    }

    private void Leave()
    {
        // By the engine's effects; a returned attempt may be at a worker again.
        _atWorkers.RemoveAll(item => item.Task.HasEnded || _effects.Assignments.Exists(again => again.Task == item.Task)
            || Engine.View.WorkerOf(item.Task.Id, item.Attempt) != item.Worker.Name);
        _atWorkers.AddRange(_effects.Assignments);
        foreach (var met in _effects.Changes.OfType<Core.TaskModel.DependencyMet>())
            _met.Add((met.TaskId, met.DependencyId));
        var orders = _effects.Orders.ToArray();
        if (ToRecord(_effects, _writer) is { } record)
            Records.Add(record);
        foreach (var order in orders.Where(order => order.Kind == WorkerOrderKind.Kill && _workers.Contains(order.Worker)))
            _workers.Remove(order.Worker);
    }

    private T Any<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];

    /// <summary>A task in comparable form.</summary>
    private sealed record TaskLine(
        long Id, string State, int Attempt, int Earlier, FailureReason Reason, string Output, ulong Tag, long AcceptedAt);
}
