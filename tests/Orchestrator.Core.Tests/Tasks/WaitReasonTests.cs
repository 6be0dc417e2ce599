using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>Why a task has not started, for each phase before its start.</summary>
public sealed class WaitReasonTests
{
    private readonly EngineHarness _harness = new();

    [Fact]
    public void Before_the_first_worker() => Says(_harness.Submit("cpu"), "waits until the workers have said which handlers they offer");

    [Fact]
    public void Behind_others()
    {
        var worker = _harness.Join("worker-1#1", cpu: 1);
        _harness.Teach(worker, TimeSpan.FromSeconds(10));
        var running = _harness.Submit("cpu");
        Assert.Empty(_harness.View.WhyWaiting(running));
        var next = _harness.Submit("cpu");
        var waiting = _harness.SubmitMany(2, "cpu");
        // Sent ahead or not, it says where it is.
        Says(next, "worker", "busy", "it is the next");
        Says(waiting[1], "worker that offers it is busy", "2 other tasks wait there");
    }

    [Fact]
    public void Sent_ahead()
    {
        var worker = _harness.Join("worker-1#1", cpu: 1);
        _harness.Teach(worker, TimeSpan.FromMilliseconds(1));
        var tasks = _harness.SubmitMany(4, "cpu");
        Says(tasks[2], "was sent ahead to worker-1#1, where 2 tasks are before it");
        Says(tasks[1], "was sent ahead to worker-1#1, where 1 task is before it");
    }

    [Fact]
    public void For_other_tasks()
    {
        _harness.Join("worker-1#1");
        var first = _harness.Submit("cpu");
        Says(Depending(first), $"waits for task {first.Id} to succeed");
        var more = _harness.SubmitMany(4, "cpu");
        Says(Depending([.. more, first]), $"waits for the tasks {more[0].Id}, {more[1].Id}, {more[2].Id} and 2 others to succeed");
    }

    [Fact]
    public void Before_another_attempt()
    {
        var worker = _harness.Join("worker-1#1");
        var task = _harness.Submit(
            "cpu", TaskPolicy.Default with { Retry = new RetryRule(2, TimeSpan.FromSeconds(3), 2, TimeSpan.FromSeconds(9), false) });
        _harness.ReportThrow(worker, task, "it has no disk");
        _harness.Advance(TimeSpan.FromSeconds(1));
        Says(task, "waits 2.0 s more before attempt 2, since it has no disk");
    }

    [Fact]
    public void For_permits()
    {
        _harness.Join("worker-1#1");
        var policy = TaskPolicy.Default with { ConcurrencyKey = "db", ConcurrencyLimit = 1 };
        _harness.Submit("io", policy);
        Says(_harness.Submit("io", policy), "waits for a permit of the concurrency key 'db', of which 1 may run at once");
        Says(_harness.Submit("io", TaskPolicy.Default with { RateLimiter = "api" }), "waits for a permit of the rate limiter 'api'");
    }

    [Fact]
    public void For_the_worker_of_its_affinity_key()
    {
        var policy = TaskPolicy.Default with { AffinityKey = "user-7" };
        var worker = _harness.Join("worker-1#1");
        _harness.Join("worker-2#2");
        _harness.Teach(worker, TimeSpan.FromSeconds(10));
        var bound = _harness.Submit("cpu", policy);
        _harness.Submit("cpu");
        Says(_harness.Submit("cpu", policy), $"waits for {bound.WorkerName}, to which its affinity key 'user-7' is bound");
    }

    [Fact]
    public void Without_a_worker_that_takes_tasks()
    {
        var worker = _harness.Join("worker-1#1");
        _harness.Apply(new TaskCommand.WorkerDraining(worker));
        Says(_harness.Submit("cpu"), "waits for a worker of group", "1 of them take no more tasks");
    }

    private TaskRecord Depending(params TaskRecord[] on) =>
        _harness.Submit("cpu", TaskPolicy.Default with { DependsOn = [.. on.Select(task => task.Id)] });

    private void Says(TaskRecord task, params string[] parts)
    {
        var reason = _harness.View.WhyWaiting(task);
        Assert.All(parts, part => Assert.Contains(part, reason, StringComparison.Ordinal));
    }
}
