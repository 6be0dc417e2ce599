using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>An engine with a manual clock, for example-based tests: exposes what the last call assigned, signalled and delivered.</summary>
internal sealed class EngineHarness(TaskEngineOptions? options = null)
{
    public TaskEngine Engine { get; } = new(options ?? new TaskEngineOptions());

    public TaskEngineView View => Engine.View;

    public TaskEffects Effects { get; } = new();

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(10);

    public static TaskSubmission Task(string handler, TaskPolicy? policy = null, string requestId = "", ulong tag = 0) =>
        new(handler, policy ?? TaskPolicy.Default, "input", 5, tag, requestId);

    public void Apply(TaskCommand command)
    {
        Effects.Clear();
        Engine.Apply(command, Now, Effects);
    }

    public void Advance(TimeSpan by)
    {
        Now += by;
        Effects.Clear();
        Engine.Tick(Now, Effects);
    }

    public WorkerNode Join(string name, int cpu = 1, int io = 10, int blocking = 2, bool recordsFlight = true,
        PlacementPolicy placement = PlacementPolicy.WorkerProcess, int core = -1)
    {
        Apply(new TaskCommand.WorkerJoined(
            new WorkerDescription(name, placement, cpu, io, blocking, 2_048, recordsFlight) { Core = core },
            [
                new("cpu", WorkKind.Cpu, null), new("io", WorkKind.Io, null), new("blocking", WorkKind.Blocking, null),
                new("long_cpu", WorkKind.Cpu, null), new("long_io", WorkKind.Io, null),
            ]));
        return Effects.Joined!;
    }

    public TaskRecord Submit(string handler, TaskPolicy? policy = null, TaskOwner? owner = null, string requestId = "", ulong tag = 0)
    {
        Apply(new TaskCommand.Submit([Task(handler, policy, requestId, tag)], owner));
        var outcome = Assert.Single(Effects.Submitted);
        Assert.Null(outcome.Refusal);
        return outcome.Task!;
    }

    public IReadOnlyList<TaskRecord> SubmitMany(int count, string handler, TaskPolicy? policy = null, TaskOwner? owner = null)
    {
        Apply(new TaskCommand.Submit([.. Enumerable.Range(0, count).Select(i => Task(handler, policy, tag: (ulong)i))], owner));
        return [.. Effects.Submitted.Select(outcome => outcome.Task!)];
    }

    public void Report(WorkerNode worker, TaskRecord task, TaskFailure? failure = null, TimeSpan? run = null, int? attempt = null) =>
        Apply(new TaskCommand.Report(
            worker,
            [new AttemptReport(task.Id, attempt ?? task.Attempt, failure is null
                ? "output" : null, 6, failure, (run ?? TimeSpan.FromMilliseconds(1)).Ticks)]));

    public void Return(WorkerNode worker, TaskRecord task) =>
        Apply(new TaskCommand.Report(worker, []) { Returned = [new AttemptId(task.Id, task.Attempt)] });

    public void FinishRunning(WorkerNode worker, TimeSpan run)
    {
        if (worker.Lanes[0].First is { } task)
            Report(worker, task, run: run);
    }

    public void Cancel(TaskRecord task, bool force = false) => Apply(new TaskCommand.Cancel([task.Id], force));

    /// <summary>The handler obeys its cancellation token.</summary>
    public void ReportCancelled(WorkerNode worker, TaskRecord task) =>
        Report(worker, task, new TaskFailure(FailureReason.Cancelled, "") { Rung = CancelRung.Cooperative });

    /// <summary>The handler threw.</summary>
    public void ReportThrow(WorkerNode worker, TaskRecord task, string message = "it threw") =>
        Report(worker, task, new TaskFailure(FailureReason.HandlerFailed, message));

    /// <summary>Trains the engine's estimate of a handler's run time, on an idle worker.</summary>
    public void Teach(WorkerNode worker, TimeSpan run, string handler = "cpu") => Report(worker, Submit(handler), run: run);

    /// <summary>The ids of the tasks that the last call assigned, in order.</summary>
    public IEnumerable<long> Assigned => Effects.Assignments.Select(assignment => assignment.Task.Id);

    /// <summary>The signals of this kind that the last call sent to workers, in order.</summary>
    public IEnumerable<long> Signalled(SignalKind kind) =>
        Effects.Signals.Where(signal => signal.Kind == kind).Select(signal => signal.TaskId);

    /// <summary>The orders about processes of the last call.</summary>
    public IEnumerable<WorkerOrderKind> Orders => Effects.Orders.Select(order => order.Kind);

    public void Kill(WorkerNode worker, byte[]? recorder, string signal = "SIGKILL (9)") =>
        Apply(new TaskCommand.WorkerLost(
            worker, recorder, new WorkerPostMortem(worker.Name, 42, null, signal, false, 0, TimeSpan.Zero, ["last words"])));
}
