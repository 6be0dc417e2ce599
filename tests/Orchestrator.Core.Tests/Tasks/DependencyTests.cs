using Orchestrator.Core.TaskModel;
using Orchestrator.Core.Tasks;

namespace Orchestrator.Core.Tests.Tasks;

/// <summary>A task runs when all its dependencies have succeeded.</summary>
public sealed class DependencyTests
{
    private readonly EngineHarness _harness = new();

    private TaskRecord After(params TaskRecord[] dependencies) =>
        _harness.Submit("io", TaskPolicy.Default with { DependsOn = [.. dependencies.Select(task => task.Id)] });

    [Fact]
    public void It_waits_for_all_of_them()
    {
        var worker = _harness.Join("w#1");
        var (first, second) = (_harness.Submit("io"), _harness.Submit("io"));
        var task = After(first, second);
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Report(worker, second);
        Assert.Equal(TaskState.Running, task.State);
    }

    [Fact]
    public void One_named_twice_is_waited_for_once()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("io");
        var task = After(first, first);
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, task.State);
    }

    [Fact]
    public void One_that_has_succeeded_before_does_not_delay_it()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("io");
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, After(first).State);
    }

    [Fact]
    public void A_failed_one_ends_the_whole_chain_behind_it()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("io");
        var second = After(first);
        var third = After(second, first);
        var fourth = After(third);
        _harness.ReportThrow(worker, first);
        foreach (var task in new[] { second, third, fourth })
            Assert.Equal((TaskState.Failed, FailureReason.DependencyFailed), (task.State, task.Failure!.Reason));
        Assert.Contains($"task {first.Id}", second.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(0, _harness.View.Unfinished);
        Assert.Equal(0, _harness.View.Tally.Queued);
    }

    [Fact]
    public void One_that_has_failed_before_ends_it_at_once()
    {
        var worker = _harness.Join("w#1");
        var failed = _harness.Submit("io");
        _harness.ReportThrow(worker, failed);
        var pending = _harness.Submit("io");
        var task = After(pending, failed);
        Assert.Equal(FailureReason.DependencyFailed, task.Failure!.Reason);
        // The end of its other dependency must not revive the failed task.
        _harness.Report(worker, pending);
        Assert.Empty(_harness.Effects.Assignments);
    }

    [Fact]
    public void A_cancelled_dependency_ends_it_and_a_cancelled_dependent_leaves_the_dependency_alone()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("io");
        var (dependent, other) = (After(first), After(first));
        _harness.Cancel(other);
        Assert.Equal((TaskState.Running, CancelRung.BeforeStart), (first.State, other.Failure!.Rung));
        _harness.Cancel(first);
        _harness.ReportCancelled(worker, first);
        Assert.Equal(FailureReason.DependencyFailed, dependent.Failure!.Reason);
        Assert.Equal(FailureReason.Cancelled, other.Failure!.Reason);
    }

    [Fact]
    public void A_retry_of_the_dependency_keeps_it_waiting()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("io", TaskPolicy.Default with { Retry = new RetryRule(2, TimeSpan.Zero, 1, TimeSpan.Zero, false) });
        var task = After(first);
        _harness.ReportThrow(worker, first);
        Assert.Equal(TaskState.Queued, task.State);
        _harness.Advance(TimeSpan.Zero);
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, task.State);
    }

    [Fact]
    public void An_unknown_or_expired_one_refuses_the_submission()
    {
        var worker = _harness.Join("w#1");
        var expired = _harness.Submit("io");
        _harness.Report(worker, expired);
        _harness.Advance(TimeSpan.FromMinutes(10));
        foreach (var id in new[] { expired.Id, 999 })
        {
            _harness.Apply(new TaskCommand.Submit([EngineHarness.Task("io", TaskPolicy.Default with { DependsOn = [id] })], null));
            var refusal = Assert.Single(_harness.Effects.Submitted).Refusal;
            Assert.Equal(FailureReason.NotFound, refusal!.Reason);
            Assert.Contains($"{id}", refusal.Message, StringComparison.Ordinal);
            Assert.Contains(id == 999
                ? "no task has had this id" : "it has ended, and its result is no longer kept", refusal.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>
    /// Part 5, 29: a task at the end of a chain of 20,000 gets the root task and how it ended, not the failure of its predecessor.
    /// </summary>
    [Theory]
    [InlineData(TaskState.Cancelled, "CANCELLED")]
    [InlineData(TaskState.TimedOut, "TIMED_OUT")]
    [InlineData(TaskState.WorkerLost, "WORKER_LOST")]
    [InlineData(TaskState.Failed, "FAILED")]
    public void Every_failure_of_a_long_chain_names_its_root_and_the_roots_state(TaskState end, string name)
    {
        const int Length = 20_000;
        var worker = _harness.Join("w#1");
        var head = _harness.Submit("io", TaskPolicy.Default with { RunTimeout = TimeSpan.FromHours(1), CancelGrace = TimeSpan.Zero });
        var chain = new List<TaskRecord> { After(head) };
        while (chain.Count < Length)
            chain.Add(After(chain[^1]));
        switch (end)
        {
            case TaskState.Cancelled:
                _harness.Cancel(head);
                _harness.ReportCancelled(worker, head);
                break;
            case TaskState.TimedOut:
                _harness.Advance(TimeSpan.FromHours(1));
                _harness.Report(worker, head, new TaskFailure(FailureReason.RunTimeout, "") { Rung = CancelRung.Cooperative });
                break;
            case TaskState.WorkerLost:
                _harness.Kill(worker, null);
                break;
            default:
                _harness.ReportThrow(worker, head);
                break;
        }

        Assert.Equal(end, head.State);
        Assert.All(chain, task => Assert.Equal((TaskState.Failed, FailureReason.DependencyFailed), (task.State, task.Failure!.Reason)));
        Assert.All(chain, task => Assert.StartsWith(
            $"task {head.Id} (io) ended {name}, and this task depends on it", task.Failure!.Message, StringComparison.Ordinal));
        // So does a task that is submitted after the whole chain has ended.
        Assert.Equal(chain[^1].Failure, After(chain[^1]).Failure);
        // 20,000 equal texts would take 4 MB.
        Assert.Same(chain[0].Failure, chain[^1].Failure);
    }

    /// <summary>Part 5, 29: only a task that its caller cancelled is CANCELLED, and it is the root for its dependents.</summary>
    [Fact]
    public void A_dependent_that_was_cancelled_itself_is_the_root_for_those_behind_it()
    {
        _harness.Join("w#1");
        var head = _harness.Submit("io");
        var middle = After(head);
        var last = After(After(middle));
        _harness.Cancel(middle);
        Assert.Equal((TaskState.Cancelled, TaskState.Failed), (middle.State, last.State));
        Assert.StartsWith($"task {middle.Id} (io) ended CANCELLED", last.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(TaskState.Running, head.State);
    }

    /// <summary>Part 5, 29: ids are unsigned on the wire; one of 2^63 or more is printed as its sender wrote it.</summary>
    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    public void An_id_beyond_a_signed_number_is_named_as_it_was_sent(ulong id)
    {
        _harness.Apply(new TaskCommand.Submit([EngineHarness.Task("io", TaskPolicy.Default with { DependsOn = [(long)id] })], null));
        Assert.Equal(
            $"depends_on: task {id} is unknown: no task has had this id", Assert.Single(_harness.Effects.Submitted).Refusal!.Message);
    }

    [Fact]
    public void A_chain_runs_in_order_whatever_the_priorities()
    {
        var worker = _harness.Join("w#1");
        var first = _harness.Submit("cpu", TaskPolicy.Default with { Priority = -9 });
        var second = _harness.Submit("cpu", TaskPolicy.Default with { Priority = 9, DependsOn = [first.Id] });
        Assert.Equal((TaskState.Running, TaskState.Queued), (first.State, second.State));
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, second.State);
    }

    [Fact]
    public void Tasks_that_came_before_the_first_worker_wait_for_each_other_too()
    {
        var first = _harness.Submit("io");
        var task = After(first);
        var unknown = _harness.Submit("nonsense");
        var behind = After(unknown);
        var worker = _harness.Join("w#1");
        Assert.Equal((TaskState.Running, TaskState.Queued), (first.State, task.State));
        Assert.Equal(FailureReason.DependencyFailed, behind.Failure!.Reason);
        _harness.Report(worker, first);
        Assert.Equal(TaskState.Running, task.State);
    }
}
