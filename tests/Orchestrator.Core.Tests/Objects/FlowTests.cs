using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Semaphores;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Part 5, 25: deadlocks within a session, across sessions with and without named flows, and across waits for tasks.</summary>
public sealed class FlowTests
{
    private readonly ObjectHarness _harness = new();

    [Fact]
    public void Ten_flows_of_one_session_at_one_lock_are_served_in_turn()
    {
        var session = _harness.Session("ten");
        var calls = Enumerable.Range(0, 10).Select(_ => _harness.Acquire(session, "build")).ToArray();
        for (var served = 1; served <= calls.Length; served++)
        {
            Assert.Equal(served, calls.Count(call => call.HasOutcome));
            Assert.Equal((ulong)served, calls[served - 1].Token);
            _harness.Release(session, "build");
        }
    }

    [Fact]
    public void A_session_that_holds_nothing_may_wait_behind_its_own_wait()
    {
        var (ann, bob) = (_harness.Session("ann"), _harness.Session("bob"));
        _harness.Acquire(ann, "build");
        Assert.NotNull(_harness.Acquire(bob, "build").Wait);
        Assert.NotNull(_harness.Acquire(bob, "build").Wait);
        Assert.Equal(
            [(bob, ann), (bob, bob), (bob, ann)],
            _harness.View.ExplainWaits(_harness.Now).Select(edge => (edge.Waiter!, edge.Holder!)));
    }

    [Theory]
    [InlineData("", "", false)]
    [InlineData("a", "", false)]
    [InlineData("", "a", false)]
    [InlineData("a", "b", false)]
    [InlineData("a", "a", true)]
    public void A_wait_for_what_its_session_holds_is_a_deadlock_only_within_one_named_flow(string holds, string waits, bool isDeadlock)
    {
        var session = _harness.Session("ann");
        Acquire(session, "build", holds);
        var second = Acquire(session, "build", waits);
        Assert.Equal(isDeadlock, second.HasOutcome);
        if (isDeadlock)
            Assert.Single(second.Fails(ObjectErrorReason.Deadlock).Cycle!.Edges);

        // The same with permits.
        _harness.Apply(new AcquireSemaphore("db") { Session = session, InitialPermits = 1, Bounded = true, Flow = holds })
            .Get<AcquireSemaphoreOutcome>();
        Assert.Equal(isDeadlock, _harness.Apply(new AcquireSemaphore("db") { Session = session, Flow = waits }).HasOutcome);
    }

    [Fact]
    public void Two_named_flows_of_a_session_that_wait_for_each_other_are_found_as_two_sessions_are()
    {
        var session = _harness.Session("ann");
        Acquire(session, "x", "a");
        Acquire(session, "y", "b");
        Assert.NotNull(Acquire(session, "y", "a").Wait);
        var error = Acquire(session, "x", "b").Fails(ObjectErrorReason.Deadlock);
        Assert.Equal(["locks/x", "locks/y"], error.Cycle!.Edges.Select(edge => edge.ObjectName));
        // The flows are named already, so the error does not suggest it.
        Assert.DoesNotContain("(flow)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cycle_over_two_sessions_of_which_one_names_no_flow_is_refused_and_says_what_would_help()
    {
        var (ann, bob) = (_harness.Session("ann"), _harness.Session("bob"));
        Acquire(ann, "x", "a");
        Acquire(bob, "y", "");
        Assert.NotNull(Acquire(bob, "x", "").Wait);
        // Not the flow that holds x: that flow can still release x to bob, so no cycle closes.
        Assert.NotNull(Acquire(ann, "y", "b").Wait);
        // The same flow, or an unnamed one.
        Acquire(ann, "y", "a").Fails(ObjectErrorReason.Deadlock);
        Assert.Contains("Independent flows of one session want a name each (flow)", Acquire(ann, "y", "")
            .Fails(ObjectErrorReason.Deadlock).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hold_that_two_flows_share_is_of_neither()
    {
        var (ann, bob) = (_harness.Session("ann"), _harness.Session("bob"));
        _harness.Apply(new AcquireSemaphore("db") { Session = ann, InitialPermits = 2, Bounded = true, Flow = "a" });
        _harness.Apply(new AcquireSemaphore("db") { Session = ann, Flow = "b" });
        Assert.NotNull(_harness.Apply(new AcquireSemaphore("db") { Session = ann, Flow = "a" }).Wait);
        Acquire(bob, "y", "");
        Assert.NotNull(Acquire(ann, "y", "c").Wait);
        _harness.Apply(new AcquireSemaphore("db", 2) { Session = bob }).Fails(ObjectErrorReason.Deadlock);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_holds_a_lock_and_waits_for_the_task_that_needs_it_is_told_whichever_comes_last(bool taskIsLast)
    {
        var (client, task) = (_harness.Session("client"), _harness.Session(task: new SessionTask(7, 1, "worker-1#1")));
        _harness.Acquire(client, "build");
        var error = taskIsLast
            ? Second(() => Join(client, 7), () => _harness.Acquire(task, "build"))
            : Second(() => _harness.Acquire(task, "build"), () => Join(client, 7));
        Assert.Equal(
            new HashSet<string> { "tasks/7", "locks/build" }, error.Cycle!.Edges.Select(edge => edge.ObjectName).ToHashSet());

        ObjectError Second(Func<Call> first, Func<Call> second)
        {
            Assert.NotNull(first().Wait);
            return second().Fails(ObjectErrorReason.Deadlock);
        }
    }

    [Fact]
    public void A_task_that_waits_for_nothing_or_has_no_session_yet_closes_no_cycle()
    {
        var client = _harness.Session("client");
        _harness.Acquire(client, "build");
        Assert.NotNull(Join(client, 7, 8).Wait);
        // Its attempt begins now, followed by another one.
        var first = _harness.Session(task: new SessionTask(7, 1, "worker-1#1"));
        _harness.End(first, SessionEndCause.TaskEnded);
        var second = _harness.Session(task: new SessionTask(7, 2, "worker-1#1"));
        Assert.NotNull(_harness.Acquire(_harness.Session(task: new SessionTask(9, 1, "worker-1#1")), "build").Wait);
        _harness.Acquire(second, "build").Fails(ObjectErrorReason.Deadlock);
        Assert.Equal(WaitStatus.Ok, _harness.Acquire(second, "other").Get<AcquireLockOutcome>().Status);
    }

    [Fact]
    public void Where_one_of_several_tasks_is_enough_only_all_of_them_together_close_a_cycle()
    {
        var client = _harness.Session("client");
        var tasks = Enumerable.Range(1, 3).Select(id => _harness.Session(task: new SessionTask(id, 1, "worker-1#1"))).ToArray();
        _harness.Acquire(client, "build");
        Assert.NotNull(_harness.Apply(new JoinTasks(new HashSet<long> { 1, 2, 3 }, NeedsAll: false) { Session = client }).Wait);
        Assert.NotNull(_harness.Acquire(tasks[0], "build").Wait);
        Assert.NotNull(_harness.Acquire(tasks[1], "build").Wait);
        _harness.Acquire(tasks[2], "build").Fails(ObjectErrorReason.Deadlock);
    }

    [Fact]
    public void A_wait_for_tasks_is_shown_and_leaves_nothing_behind()
    {
        var client = _harness.Session("client");
        var join = Join(client, 7, 8, 9);
        Assert.Equal((client, "tasks/7 and 2 more", null), _harness.View.ExplainWaits(_harness.Now).Select(
            edge => (edge.Waiter!, edge.ObjectName, edge.Holder)).Single());
        _harness.Abandon(join);
        Assert.Equal((0, 0), (_harness.View.WaitCount, client.WaitCount));
        var lost = Join(client, 7);
        _harness.End(client);
        lost.Fails(ObjectErrorReason.SessionLost);
        Assert.Equal((0, 0), (_harness.View.WaitCount, _harness.View.ObjectCount));
        Join(null, 7).Fails(ObjectErrorReason.Invalid);
    }

    private Call Acquire(Session session, string name, string flow) =>
        _harness.Apply(new AcquireLock(name) { Session = session, Flow = flow });

    private Call Join(Session? session, params long[] tasks) =>
        _harness.Apply(new JoinTasks(tasks.ToHashSet(), NeedsAll: true) { Session = session });
}
