using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// The wait that would close a cycle fails at once and names the cycle; the other waits go on; a wait without a cycle waits.
/// </summary>
public sealed class DeadlockTests
{
    private readonly ObjectHarness _harness = new();

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void A_ring_of_sessions_is_one_error_with_the_whole_cycle_and_the_rest_go_on(int count)
    {
        var sessions = Enumerable.Range(0, count).Select(i => _harness.Session($"s{i}", task: new SessionTask(i, 1, "worker-1#1")))
            .ToArray();
        for (var i = 0; i < count; i++)
            _harness.Acquire(sessions[i], $"l{i}");
        var waits = Enumerable.Range(0, count - 1).Select(i => _harness.Acquire(sessions[i], $"l{i + 1}")).ToArray();
        Assert.All(waits, wait => Assert.False(wait.HasOutcome));

        // The timeout would eventually end the wait; it still fails at once.
        var error = _harness.Acquire(sessions[^1], "l0", timeout: TimeSpan.FromSeconds(5)).Fails(ObjectErrorReason.Deadlock);
        var edges = error.Cycle!.Edges;
        Assert.Equal(count, edges.Count);
        Assert.Equal((sessions[^1], "locks/l0", sessions[0]), (edges[0].Waiter, edges[0].ObjectName, edges[0].Holder));
        for (var i = 1; i < count; i++)
            Assert.Equal((sessions[i - 1], $"locks/l{i}", sessions[i]), (edges[i].Waiter, edges[i].ObjectName, edges[i].Holder));
        Assert.Contains($"(\"s0\", task 0)", error.Message, StringComparison.Ordinal);

        // The session that got the error releases its lock, and all others are served in turn.
        _harness.Release(sessions[^1], $"l{count - 1}");
        for (var i = count - 2; i >= 0; i--)
        {
            Assert.Equal(WaitStatus.Ok, waits[i].Get<AcquireLockOutcome>().Status);
            _harness.Release(sessions[i], $"l{i}");
        }
    }

    [Fact]
    public void A_reader_behind_a_writer_waits_for_that_writer()
    {
        var (ann, bob, cid) = (_harness.Session("ann"), _harness.Session("bob"), _harness.Session("cid"));
        _harness.Acquire(ann, "data", LockMode.Read);
        _harness.Acquire(bob, "other");
        _harness.Acquire(bob, "data", LockMode.Write);
        _harness.Acquire(cid, "third");
        Assert.NotNull(_harness.Acquire(cid, "data", LockMode.Read).Wait);
        // cid waits for bob, who waits for ann: a request of any of the three for a lock of another closes the cycle.
        Assert.Equal(2, _harness.Acquire(ann, "other").Fails(ObjectErrorReason.Deadlock).Cycle!.Edges.Count);
        var edges = _harness.Acquire(ann, "third").Fails(ObjectErrorReason.Deadlock).Cycle!.Edges;
        Assert.Equal([cid, bob, ann], edges.Select(edge => edge.Holder));
        // ann's second read queues behind the writer, which waits for ann's first read.
        _harness.Acquire(ann, "data", LockMode.Read).Fails(ObjectErrorReason.Deadlock);
    }

    [Fact]
    public void A_reader_does_not_wait_for_the_readers_beside_it()
    {
        var (ann, bob, cid) = (_harness.Session("ann"), _harness.Session("bob"), _harness.Session("cid"));
        _harness.Acquire(cid, "other");
        _harness.Acquire(ann, "data", LockMode.Write);
        // bob waits for the data and, pipelined, for cid's lock: this does not block cid's read, which is shared with bob's.
        var bobs = _harness.Acquire(bob, "data", LockMode.Read);
        Assert.NotNull(_harness.Acquire(bob, "other").Wait);
        var cids = _harness.Acquire(cid, "data", LockMode.Read);
        Assert.NotNull(cids.Wait);
        _harness.Release(ann, "data");
        Assert.True(bobs.HasOutcome && cids.HasOutcome);
    }

    [Fact]
    public void A_writer_waits_for_every_reader_so_one_that_is_stuck_closes_the_cycle()
    {
        var (ann, bob, cid) = (_harness.Session("ann"), _harness.Session("bob"), _harness.Session("cid"));
        _harness.Acquire(ann, "data", LockMode.Read);
        _harness.Acquire(bob, "data", LockMode.Read);
        _harness.Acquire(cid, "other");
        Assert.NotNull(_harness.Acquire(bob, "other").Wait);
        Assert.Equal(2, _harness.Acquire(cid, "data", LockMode.Write).Fails(ObjectErrorReason.Deadlock).Cycle!.Edges.Count);
    }

    [Fact]
    public void A_chain_of_waits_is_no_cycle_and_a_try_never_is()
    {
        var (ann, bob, cid) = (_harness.Session("ann"), _harness.Session("bob"), _harness.Session("cid"));
        _harness.Acquire(ann, "a");
        _harness.Acquire(bob, "b");
        _harness.Acquire(cid, "c");
        Assert.NotNull(_harness.Acquire(ann, "b").Wait);
        Assert.NotNull(_harness.Acquire(bob, "c").Wait);
        Assert.NotNull(_harness.Acquire(_harness.Session("dan"), "a").Wait);
        Assert.Equal(WaitStatus.Timeout, _harness.Acquire(cid, "a", timeout: TimeSpan.Zero).Get<AcquireLockOutcome>().Status);
    }

    [Fact]
    public void Who_waits_twice_in_the_line_of_a_plain_lock_waits_for_its_first_wait()
    {
        var (ann, bob) = (_harness.Session("ann"), _harness.Session("bob"));
        _harness.Acquire(ann, "build");
        var waits = new[] { _harness.Acquire(bob, "build"), _harness.Acquire(bob, "build") };
        Assert.All(waits, call => Assert.NotNull(call.Wait));
        _harness.Release(ann, "build");
        Assert.True(waits[0].HasOutcome);
        _harness.Release(bob, "build");
        Assert.True(waits[1].HasOutcome);
    }

    [Fact]
    public void ExplainWaits_shows_every_edge()
    {
        var (ann, bob, cid) = (_harness.Session("ann"), _harness.Session("bob"), _harness.Session("cid"));
        _harness.Acquire(ann, "build");
        _harness.Acquire(bob, "build");
        _harness.Advance(TimeSpan.FromSeconds(2));
        _harness.Acquire(cid, "build");
        var edges = _harness.View.ExplainWaits(_harness.Now + TimeSpan.FromSeconds(1));
        Assert.Equal(
            [(bob, ann, TimeSpan.FromSeconds(3)), (cid, bob, TimeSpan.FromSeconds(1))],
            edges.Select(edge => (edge.Waiter!, edge.Holder!, edge.Waiting)));
        Assert.Single(_harness.View.ExplainWaits(_harness.Now, maximum: 1));
    }

    [Fact]
    public void A_long_line_of_waiters_is_searched_without_recursion()
    {
        const int Count = 5_000;
        var sessions = Enumerable.Range(0, Count).Select(i => _harness.Session($"s{i}")).ToArray();
        for (var i = 0; i < Count; i++)
            _harness.Acquire(sessions[i], $"l{i}");
        for (var i = Count - 1; i > 0; i--)
            Assert.NotNull(_harness.Acquire(sessions[i - 1], $"l{i}").Wait);
        Assert.Equal(Count, _harness.Acquire(sessions[^1], "l0").Fails(ObjectErrorReason.Deadlock).Cycle!.Edges.Count);
    }
}
