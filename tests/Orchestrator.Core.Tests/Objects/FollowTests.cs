using CsCheck;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>Following an operation: the outcome is that of the operation, now or when its wait ends.</summary>
public sealed class FollowTests
{
    private readonly ObjectHarness _harness = new(new ObjectEngineOptions { MaxWaitsPerClient = 3, MaxReplays = 4 });
    private readonly ClientObjectQuota _client = new("ann", "ann");
    private readonly Session _session;
    private readonly Session _other;

    public FollowTests()
    {
        _session = _harness.Apply(new CreateSession("") { Client = _client }).Get<CreateSessionOutcome>().Created;
        _other = _harness.Session();
    }

    [Fact]
    public void An_operation_that_has_ended_gives_its_kept_outcome_until_it_is_no_longer_kept()
    {
        var acquired = Acquire(1, "a");
        Assert.Same(acquired.Outcome, Follow(1, 2).Outcome);
        var wrong = _harness.Apply(new ReleaseLock("never") { Session = _session, OperationId = 3 });
        Assert.Same(wrong.Outcome, Follow(3, 4).Outcome);
        for (var id = 10UL; id < 14; id++)
            Acquire(id, $"b{id}");
        Assert.Contains("no operation 1:", Follow(1, 2).Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_operations_are_refused_by_name_those_of_other_sessions_too()
    {
        Assert.Contains("no operation 9:", Follow(9, 2).Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        _harness.Apply(new AcquireLock("a", LockMode.Plain) { Session = _other, OperationId = 9 });
        Follow(9, 2).Fails(ObjectErrorReason.Invalid);
        _harness.Apply(new CloseSession { Session = _session });
        Follow(1, 2).Fails(ObjectErrorReason.SessionLost);
    }

    [Fact]
    public void A_waiting_operation_is_followed_to_its_end_behind_its_own_outcome()
    {
        _harness.Acquire(_other, "a");
        var waiting = Acquire(1, "a");
        var (first, second) = (Follow(1, 2), Follow(1, 3));
        Assert.Equal(3, _client.Waits);
        Assert.Equal(3, _harness.View.WaitCount);
        var full = Follow(1, 4).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Contains("waits_per_client", full.Message, StringComparison.Ordinal);
        var release = _harness.Release(_other, "a");
        Assert.Equal([release, waiting, first, second], _harness.Completed);
        Assert.Same(waiting.Outcome, second.Outcome);
        Assert.Equal((0, 0L), (_client.Waits, _harness.View.WaitCount));
    }

    [Fact]
    public void It_shares_the_cancel_the_timeout_and_the_session_of_the_wait()
    {
        _harness.Acquire(_other, "a");
        Acquire(1, "a");
        var cancelled = Follow(1, 2);
        _harness.Apply(new CancelOperations([1]) { Session = _session });
        cancelled.Fails(ObjectErrorReason.Cancelled);
        Acquire(3, "a", TimeSpan.FromSeconds(1));
        var late = Follow(3, 4);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WaitStatus.Timeout, late.Get<AcquireLockOutcome>().Status);
        Assert.False(late.Outcome.IsSuccess);
        Acquire(5, "a");
        var lost = Follow(5, 6);
        _harness.End(_session);
        lost.Fails(ObjectErrorReason.SessionLost);
        Assert.Equal((0, 0), (_client.Waits, _harness.View.WaitCount));
    }

    [Fact]
    public void A_wait_that_another_stream_takes_over_keeps_its_followers()
    {
        _harness.Acquire(_other, "a");
        var lost = Acquire(1, "a");
        var follow = Follow(1, 2);
        var again = Acquire(1, "a");
        lost.Fails(ObjectErrorReason.Cancelled);
        Assert.False(follow.HasOutcome);
        _harness.Release(_other, "a");
        Assert.Same(again.Outcome, follow.Outcome);
    }

    [Fact]
    public void A_follower_that_was_executed_before_is_answered_whatever_became_of_the_other()
    {
        Acquire(2, "a");
        Assert.Same(Done.Instance, Follow(1, 2).Outcome);
    }

    [Fact]
    public void What_is_held_back_counts_as_content_and_nothing_is_left_when_it_is_stopped()
    {
        var before = _harness.View.KeptBytes;
        _harness.Acquire(_other, "a");
        Acquire(1, "a");
        var waiting = _harness.View.KeptBytes;
        var follow = _harness.Apply(new FollowOperation(1, 2, Bytes: 10_000) { Session = _session });
        Assert.InRange(_harness.View.KeptBytes - waiting, 10_000, 11_000);
        _harness.Apply(new StopFollowing((FollowOperation)follow.Command!));
        Assert.Equal((1, waiting), (_client.Waits, _harness.View.KeptBytes));
        Assert.True(waiting > before);
        _harness.Release(_other, "a");
        Assert.False(follow.HasOutcome);
        // Stopped before it was applied.
        var early = new FollowOperation(1, 3, 0) { Session = _session };
        _harness.Apply(new StopFollowing(early));
        _harness.Apply(early).Fails(ObjectErrorReason.Cancelled);
    }

    /// <summary>
    /// Random operations on latches, which are counted down, cancelled and time out, and followers of any of them: each follower gets the
    /// outcome of the operation with the id that it names in the step in which the operation has it, in the order of the followers; the
    /// client is charged for exactly those that wait.
    /// </summary>
    [Fact]
    public void Followers_get_what_their_operations_get() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[0, 1_000], Gen.Int[0, 1_000]).Array[1, 120]
            .Sample(steps => new Run().Play(steps), iter: Iterations.Of(500), threads: 2);

    private Call Acquire(ulong id, string name, TimeSpan? timeout = null) =>
        _harness.Apply(new AcquireLock(name, LockMode.Plain) { Session = _session, OperationId = id, Timeout = timeout });

    private Call Follow(ulong followed, ulong follower) =>
        _harness.Apply(new FollowOperation(followed, follower, 0) { Session = _session });

    private sealed class Run
    {
        private readonly ObjectHarness _harness = new();
        private readonly ClientObjectQuota _client = new("ann", "ann");
        private readonly Dictionary<ulong, Call> _operations = [];
        private readonly List<(ulong Followed, Call Call)> _followers = [];
        private readonly Session _session;
        private ulong _last;

        public Run() =>
            _session = _harness.Apply(new CreateSession("") { Client = _client }).Get<CreateSessionOutcome>().Created;

        public void Play((int Op, int A, int B)[] steps)
        {
            foreach (var (op, a, b) in steps)
            {
                var waiting = _followers.Where(follower => !follower.Call.HasOutcome).ToList();
                Step(op, a, b, waiting);
                // In the order of the followers, operation by operation.
                foreach (var ended in waiting.Where(follower => follower.Call.HasOutcome).GroupBy(follower => follower.Followed))
                {
                    var order = ended.Select(follower => _harness.Completed.IndexOf(follower.Call)).ToList();
                    Assert.Equal(order.Order(), order);
                    Assert.True(_harness.Completed.IndexOf(_operations[ended.Key]) < order[0]);
                }

                Compare();
            }

            _harness.End(_session);
            Compare();
            Assert.Equal((0, 0), (_client.Waits, _harness.View.WaitCount));
        }

        private void Step(int op, int a, int b, List<(ulong Followed, Call Call)> waiting)
        {
            var name = $"latch-{a % 6}";
            switch (op)
            {
                case <= 2:
                    TimeSpan? timeout = b % 3 == 0 ? TimeSpan.FromSeconds(b % 5) : null;
                    _operations[++_last] = _harness.Apply(
                        new WaitLatch(name, 2) { Session = _session, OperationId = _last, Timeout = timeout });
                    break;
                case <= 6 when _last > 0:
                    var followed = (ulong)(a % (int)_last) + 1;
                    _followers.Add((followed, _harness.Apply(
                        new FollowOperation(followed, 1_000_000, 0) { Session = _session })));
                    break;
                case 7:
                    _harness.Apply(new CountDownLatch(name, 2) { Session = _session });
                    break;
                case 8 when _last > 0:
                    if (b % 2 == 0 || waiting.Count == 0)
                    {
                        _harness.Apply(new CancelOperations([(ulong)(a % (int)_last) + 1]) { Session = _session });
                    }
                    else
                    {
                        var stopped = waiting[b % waiting.Count];
                        _harness.Apply(new StopFollowing((FollowOperation)stopped.Call.Command!));
                        _followers.Remove(stopped);
                    }

                    break;
                case 9:
                    _harness.Advance(TimeSpan.FromSeconds(1));
                    break;
            }
        }

        private void Compare()
        {
            foreach (var (followed, call) in _followers)
            {
                var operation = _operations[followed];
                Assert.Equal(operation.HasOutcome, call.HasOutcome);
                if (operation.HasOutcome)
                    Assert.Same(operation.Outcome, call.Outcome);
            }

            Assert.Equal(
                _operations.Values.Count(call => !call.HasOutcome) + _followers.Count(follower => !follower.Call.HasOutcome),
                _client.Waits);
            Assert.Equal(_client.Waits, _harness.View.WaitCount);
        }
    }
}
