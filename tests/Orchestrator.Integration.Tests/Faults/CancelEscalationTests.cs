using System.Diagnostics;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Client.Tasks;
using Orchestrator.TestKit;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults;

/// <summary>The cancellation escalation on real processes: killing one task harms no other.</summary>
[Trait("Kind", "slow")]
public sealed class CancelEscalationTests
{
    [Fact]
    public async Task A_task_that_ignores_its_timeout_is_killed_and_its_neighbours_end_normally()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var neighbours = await coordinator.SubmitAsync(Enumerable.Range(0, 20).Select(_ => Specs.Json("sleep", """{"ms": 3500}""")));
        var clock = Stopwatch.StartNew();
        var spin = await coordinator.RunAsync(
            Specs.Json("spin", """{"ms": 60000}""", new TaskOptions { RunTimeout = Specs.Seconds(1), CancelGrace = Specs.Seconds(1) }));
        // One second and the grace period; the extra time of a loaded machine is far below the minute that the task would take.
        Assert.InRange(clock.Elapsed.TotalSeconds, 2, 20);
        Assert.Equal(TaskState.TimedOut, spin.State);
        Assert.Equal(ErrorReason.RunTimeout, spin.Error.Reason);
        Assert.Equal(CancelRung.Killed, spin.Error.Rung);
        // The slot has a successor while the worker to be killed finishes its innocent tasks.
        Assert.Equal(TaskState.Succeeded, (await coordinator.RunAsync(Specs.Json("fibonacci", """{"n": 5}"""))).State);
        var results = await coordinator.WaitAsync(neighbours);
        Assert.All(results, result =>
        {
            Assert.Equal(TaskState.Succeeded, result.State);
            Assert.Equal(1, result.Attempt);
            Assert.Equal(spin.Worker, result.Worker);
        });
        // Then the worker to be killed ends.
        await coordinator.WaitForEventAsync("worker.exited", item => item.Subject == spin.Worker);
    }

    [Fact]
    public async Task A_cooperative_task_is_cancelled_and_its_worker_lives()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--workers", "1");
        var before = (await coordinator.WorkersAsync()).Select(worker => worker.Pid);
        var id = (await coordinator.SubmitAsync(Specs.Json("sleep", """{"ms": 60000}"""))).Single();
        // Its lane starts tasks in order: once a later one has ended, this one runs.
        await coordinator.RunAsync(Specs.Json("sleep", """{"ms": 1}"""));
        await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { id } }, CoordinatorProcess.Deadline());
        var result = (await coordinator.WaitAsync([id])).Single();
        Assert.Equal(TaskState.Cancelled, result.State);
        Assert.Equal(CancelRung.Cooperative, result.Error.Rung);
        Assert.Equal(before, (await coordinator.WorkersAsync()).Select(worker => worker.Pid));
    }

    [Fact]
    public async Task Force_skips_the_cooperative_rung()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var id = (await coordinator.SubmitAsync(Specs.Json("hang"))).Single();
        await coordinator.WaitUntilRunningAsync(id);
        await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { id }, Force = true }, CoordinatorProcess.Deadline());
        var result = (await coordinator.WaitAsync([id])).Single();
        Assert.Equal(TaskState.Cancelled, result.State);
        Assert.Equal(CancelRung.Killed, result.Error.Rung);
    }

    [Fact]
    public async Task A_queued_task_is_cancelled_before_its_start()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos", "--workers", "1");
        var ids = await coordinator.SubmitAsync(Specs.Json("spin", """{"ms": 1500}"""), Specs.Json("count_primes", """{"limit": 10}"""),
            Specs.Json("count_primes", """{"limit": 10}"""));
        await coordinator.WaitUntilRunningAsync(ids[0]);
        await coordinator.Tasks.CancelTasksAsync(new CancelTasksRequest { TaskIds = { ids[1], ids[2] } }, CoordinatorProcess.Deadline());
        var results = await coordinator.WaitAsync(ids);
        Assert.Equal(TaskState.Succeeded, results[0].State);
        Assert.All(results.Skip(1), result => Assert.Equal(CancelRung.BeforeStart, result.Error.Rung));
    }

    [Fact]
    public async Task Short_tasks_do_not_wait_behind_a_long_one_while_another_worker_is_dry()
    {
        await using var coordinator = await CoordinatorProcess.StartAsync("--allow-chaos");
        // The engine learns that `spin` takes a millisecond, so that it sends windows ahead; then one of them takes six seconds.
        await coordinator.StreamAsync(Enumerable.Range(0, 50).Select(i => Specs.Json("spin", """{"ms": 1}""", tag: (ulong)i)));
        var tasks = Enumerable.Range(0, 200).Select(i => Specs.Json("spin", """{"ms": 1}""", tag: (ulong)i)).ToList();
        tasks.Insert(20, Specs.Json("spin", """{"ms": 6000}""", tag: 1_000));
        var results = await coordinator.StreamAsync(tasks, new StreamOptions { Timing = true });
        Assert.Equal(201, results.Count);
        Assert.Equal(1_000UL, results[^1].Tag);
        var slowest = results.Where(result => result.Tag < 1_000).Max(result => result.Timing.Queued.ToTimeSpan());
        // Stuck behind the long task it would wait six seconds; a benchmark measures the exact wait.
        Assert.True(slowest < TimeSpan.FromSeconds(4), $"a short task waited {slowest}");
    }
}
