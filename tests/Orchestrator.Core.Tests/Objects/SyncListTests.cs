using Orchestrator.Core.Barriers;
using Orchestrator.Core.Conditions;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.Semaphores;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Holders and waiters, page by page, and how far the limits are used.</summary>
public sealed class SyncListTests
{
    private readonly ObjectHarness _harness = new();
    private readonly Session _ann;
    private readonly Session _bob;

    public SyncListTests()
    {
        _ann = _harness.Session("ann", TimeSpan.FromHours(1), new SessionTask(12, 1, "worker-1#1"));
        _bob = _harness.Session("bob", TimeSpan.FromHours(1));
    }

    [Fact]
    public void Every_kind_is_shown_with_its_state()
    {
        _harness.Acquire(_ann, "plain");
        _harness.Acquire(_ann, "deep", LockMode.Reentrant);
        _harness.Acquire(_ann, "deep", LockMode.Reentrant);
        _harness.Acquire(_ann, "read", LockMode.Read);
        _harness.Acquire(_ann, "write", LockMode.Write);
        _harness.Acquire(_bob, "data");
        _harness.Apply(new WaitCondition("changed", "data") { Session = _bob });
        _harness.Apply(new AcquireSemaphore("db", 2) { Session = _ann, InitialPermits = 5, Bounded = true });
        _harness.Apply(new SetEvent("go", true));
        _harness.Apply(new WaitEvent("stop"));
        _harness.Apply(new WaitBarrier("meet", 3));
        _harness.Apply(new WaitBarrier("over", 3));
        _harness.Apply(new ControlBarrier("over", BarrierAction.Abort));
        _harness.Apply(new CountDownLatch("ready", 5, 2));
        _harness.Apply(new CreateRateLimiter(new RateLimiterSpec("api", 100, TimeSpan.FromSeconds(1), 10)));
        _harness.Apply(new CreateRateLimiter(new RateLimiterSpec("web", 100, TimeSpan.FromSeconds(1), SlidingWindow: true)));
        Assert.Equal(
            [
                ("barriers/meet", "1 of 3 parties wait, 0 rounds complete"),
                ("barriers/over", "0 of 3 parties wait, 0 rounds complete, broken: it was aborted"),
                ("conditions/changed", "of lock \"data\", 1 waiting"),
                ("events/go", "set"),
                ("events/stop", "not set, 1 waiting"),
                ("latches/ready", "3 of 5 left, 0 waiting"),
                ("locks/data", "PLAIN, free, 0 waiting"),
                ("locks/deep", "REENTRANT, held 2 times, 0 waiting"),
                ("locks/plain", "PLAIN, held, 0 waiting"),
                ("locks/read", "READ and WRITE, held by 1 readers, 0 waiting"),
                ("locks/write", "READ and WRITE, held by a writer, 0 waiting"),
                ("rate_limiters/api", "100 permits per 1 s, token bucket of 10, 0 waiting"),
                ("rate_limiters/web", "100 permits per 1 s, sliding window, 0 waiting"),
                ("semaphores/db", "bounded, 3 of 5 permits free, 0 waiting"),
            ],
            List().Objects.Select(item => (item.ObjectName, item.Description)));
    }

    [Fact]
    public void Holders_and_waiters_come_with_session_age_token_and_task()
    {
        var token = _harness.Acquire(_ann, "build").Token;
        _harness.Advance(TimeSpan.FromSeconds(2));
        _harness.Acquire(_bob, "build");
        _harness.Advance(TimeSpan.FromSeconds(1));
        var info = Assert.Single(List().Objects);
        Assert.Equal([new SyncHolder(_ann, TimeSpan.FromSeconds(3), token)], info.Holders);
        Assert.Equal([new SyncHolder(_bob, TimeSpan.FromSeconds(1), 0)], info.Waiters);
        Assert.Equal(12, info.Holders[0].Session!.Task!.TaskId);
        _harness.Apply(new WaitEvent("go"));
        Assert.Null(List().Objects[0].Waiters[0].Session);
    }

    [Fact]
    public void Of_a_long_line_the_first_are_listed_in_the_order_of_service()
    {
        var sessions = Enumerable.Range(0, 20).Select(i => _harness.Session($"s{i}")).ToArray();
        foreach (var session in sessions)
            _harness.Acquire(session, "data", LockMode.Read);
        // Acquires and releases do not change the order.
        _harness.Release(sessions[3], "data");
        _harness.Acquire(sessions[3], "data", LockMode.Read);
        _harness.Acquire(_ann, "data", LockMode.Write);
        _harness.Acquire(_bob, "data", LockMode.Write);
        var info = ((SyncPage)_harness.View.ListSync(0, "", _harness.Now, maximum: 5)).Objects[0];
        Assert.Equal([sessions[0], sessions[1], sessions[2], sessions[4], sessions[5]], info.Holders.Select(holder => holder.Session));
        Assert.Equal([_ann, _bob], info.Waiters.Select(holder => holder.Session));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    public void Pages_go_on_by_name_whatever_comes_and_goes_between(int size)
    {
        foreach (var name in new[] { "b", "d", "a", "c" })
        {
            _harness.Acquire(_ann, name);
            _harness.Apply(new SetEvent(name, true));
        }

        var seen = new List<string>();
        for (var token = ""; ;)
        {
            var page = List(size, token);
            seen.AddRange(page.Objects.Select(item => item.ObjectName));
            Assert.InRange(page.Objects.Count, 1, size);
            Assert.InRange(seen.Count, 1, 8);
            token = page.NextPageToken;
            if (token.Length == 0)
                break;
            Assert.Equal(seen[^1], token);
        }

        Assert.Equal(["events/a", "events/b", "events/c", "events/d", "locks/a", "locks/b", "locks/c", "locks/d"], seen);
        // When the last object of a page is removed, the next page begins at its position.
        var first = List(2);
        _harness.Apply(new SetEvent("b", false));
        Assert.Equal("events/c", List(1, first.NextPageToken).Objects[0].ObjectName);
    }

    [Fact]
    public void Page_sizes_and_tokens_are_checked()
    {
        Assert.Equal("page_size", ((ObjectError)_harness.View.ListSync(-1, "", _harness.Now)).Field);
        Assert.Equal("page_token", ((ObjectError)_harness.View.ListSync(1, "queues/a", _harness.Now)).Field);
        Assert.Equal(("", 0), (List().NextPageToken, List().Objects.Count));
        for (var i = 0; i < 1_001; i++)
            _harness.Apply(new SetEvent($"e{i}", true));
        Assert.Equal((100, 1_000), (List().Objects.Count, List(5_000).Objects.Count));
        Assert.Empty(List(1_000, "events/e999").NextPageToken);
    }

    [Fact]
    public void Limits_say_how_far_they_are_used()
    {
        _harness.Acquire(_ann, "build");
        _harness.Acquire(_bob, "build");
        Assert.Equal(
            [("objects.sessions", 100_000L, 2L), ("objects.named", 1_000_000L, 1L), ("objects.waits", 1_000_000L, 1L),
                ("objects.replays", 256L << 20, 0L)],
            _harness.View.Limits().Select(limit => (limit.Name, limit.Maximum, limit.Used)));
    }

    private SyncPage List(int size = 0, string token = "") => Assert.IsType<SyncPage>(_harness.View.ListSync(size, token, _harness.Now));
}
