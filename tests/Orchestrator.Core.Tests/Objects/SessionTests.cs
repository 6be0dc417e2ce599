using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>How sessions live and end, and operations that are repeated or given up.</summary>
public sealed class SessionTests
{
    private readonly ObjectHarness _harness = new();

    [Fact]
    public void Without_a_sign_of_life_a_session_ends_when_its_time_has_passed()
    {
        var session = _harness.Session("importer");
        _harness.Acquire(session, "build");
        Assert.Equal(TimeSpan.FromSeconds(30), session.Ttl);
        _harness.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(session.Ttl, _harness.Apply(new KeepSessionAlive { Session = session }).Get<KeepSessionAliveOutcome>().Ttl);
        _harness.Advance(TimeSpan.FromSeconds(29));
        Assert.False(session.HasEnded);
        _harness.Advance(TimeSpan.FromSeconds(1));
        Assert.True(session.HasEnded);
        Assert.Equal([session], _harness.Effects.EndedSessions);
        Assert.Equal([(session, ""), (session, "locks/build")], _harness.Noticed);
        // Later callers get the reason of the end.
        Assert.Same(session, _harness.View.FindSession(session.Id));
        var message = _harness.Apply(new KeepSessionAlive { Session = session }).Fails(ObjectErrorReason.SessionLost).Message;
        Assert.Equal(
            $"{session.Alias} (\"importer\") has ended: without a sign of life its time to live of 30 s passed; create a new one", message);
        Assert.Equal((0, 0), (_harness.View.SessionCount, _harness.View.ObjectCount));
    }

    [Fact]
    public void Sessions_of_one_client_are_bounded_and_give_their_place_back_however_they_end()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxSessionsPerClient = 2 });
        var (ann, bob) = (new ClientObjectQuota("ann", "ann"), new ClientObjectQuota("bob", "bob"));
        var first = Create(ann).Get<CreateSessionOutcome>().Created;
        Create(ann).Get<CreateSessionOutcome>();
        var error = Create(ann).Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal("ann", error.Subject);
        Assert.Contains("(sessions_per_client)", error.Message, StringComparison.Ordinal);
        Create(bob).Get<CreateSessionOutcome>();
        harness.Apply(new CloseSession { Session = first });
        Create(ann).Get<CreateSessionOutcome>();
        harness.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 0), (ann.Sessions, bob.Sessions));

        Call Create(ClientObjectQuota client) => harness.Apply(new CreateSession("") { Client = client });
    }

    [Fact]
    public void While_a_stream_is_attached_time_does_not_end_it()
    {
        var session = _harness.Session(ttl: TimeSpan.FromSeconds(1));
        _harness.Apply(new AttachSession { Session = session });
        _harness.Apply(new AttachSession { Session = session });
        _harness.Advance(TimeSpan.FromHours(1));
        _harness.Apply(new DetachSession { Session = session });
        Assert.Null(_harness.Engine.NextDeadline);
        _harness.Apply(new DetachSession { Session = session });
        Assert.Equal(_harness.Now + TimeSpan.FromSeconds(1), _harness.Engine.NextDeadline);
    }

    [Fact]
    public void Closing_gives_everything_back_without_a_notice_and_ends_its_waits()
    {
        var (ann, bob) = (_harness.Session(), _harness.Session());
        _harness.Acquire(ann, "a");
        _harness.Acquire(bob, "b");
        var anns = _harness.Acquire(ann, "b");
        var next = _harness.Acquire(_harness.Session(), "a");
        var close = _harness.Apply(new CloseSession { Session = ann });
        Assert.Equal([close, anns, next], _harness.Completed);
        anns.Fails(ObjectErrorReason.SessionLost);
        Assert.Equal(WaitStatus.Ok, next.Get<AcquireLockOutcome>().Status);
        Assert.Empty(_harness.Effects.Notices);
        Assert.Null(_harness.View.FindSession(ann.Id));
    }

    [Fact]
    public void Whoever_listens_for_a_session_that_is_closed_has_one_notice()
    {
        var session = _harness.Session();
        _harness.Acquire(session, "a");
        _harness.Acquire(session, "b");
        session.Channel = new object();
        _harness.Apply(new CloseSession { Session = session });
        var notice = Assert.Single(_harness.Effects.Notices);
        Assert.Equal((session, ObjectErrorReason.SessionLost, ""), (notice.Session, notice.Reason, notice.ObjectName));
        Assert.Contains("it was closed", notice.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_attempt_that_ends_is_told_what_it_still_held(bool holds)
    {
        var session = _harness.Session(task: new SessionTask(5, 1, "worker-1#1"));
        _harness.Acquire(session, "a");
        if (!holds)
            _harness.Release(session, "a");
        _harness.Apply(new EndTaskSessions(5, 1, "the attempt ended"));
        Assert.Equal(holds ? ["", "locks/a"] : [], _harness.Effects.Notices.Select(notice => notice.ObjectName));
    }

    [Fact]
    public void A_task_s_session_lives_as_long_as_its_attempt()
    {
        var session = _harness.Session(task: new SessionTask(5, 2, "worker-1#3"));
        var other = _harness.Session(task: new SessionTask(5, 1, "worker-1#2"));
        Assert.Null(_harness.Engine.NextDeadline);
        Assert.Equal(1, _harness.Apply(new EndTaskSessions(5, 2, "the attempt ended")).Get<EndSessionsOutcome>().Ended);
        Assert.Equal((SessionEndCause.TaskEnded, false), (session.End!.Cause, other.HasEnded));
        Assert.Equal(0, _harness.Apply(new EndTaskSessions(5, 2, "the attempt ended")).Get<EndSessionsOutcome>().Ended);
    }

    [Fact]
    public void Times_to_live_and_numbers_of_sessions_are_bounded()
    {
        Assert.Equal("ttl", _harness.Apply(new CreateSession("", TimeSpan.Zero)).Fails(ObjectErrorReason.Invalid).Field);
        Assert.Contains("at most 86400 s", _harness.Apply(new CreateSession("", TimeSpan.FromDays(2)))
            .Fails(ObjectErrorReason.Invalid).Message, StringComparison.Ordinal);
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxSessions = 1, MaxObjects = 1, MaxWaits = 1 });
        var session = harness.Session();
        harness.Apply(new CreateSession("")).Fails(ObjectErrorReason.LimitExceeded);
        harness.Acquire(null, "build").Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal(0, harness.View.ObjectCount);
        harness.Acquire(session, "a");
        harness.Acquire(session, "b").Fails(ObjectErrorReason.LimitExceeded);
    }

    [Fact]
    public void Waits_are_bounded()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxWaits = 1 });
        harness.Acquire(harness.Session(), "build");
        Assert.NotNull(harness.Acquire(harness.Session(), "build").Wait);
        harness.Acquire(harness.Session(), "build").Fails(ObjectErrorReason.LimitExceeded);
        harness.Acquire(null, "build").Fails(ObjectErrorReason.LimitExceeded);
        Assert.Equal((1, 3), (harness.View.WaitCount, harness.View.SessionCount));
    }

    [Fact]
    public void An_operation_sent_again_is_answered_with_its_first_outcome()
    {
        var session = _harness.Session();
        var first = Operation(session, 7, "build");
        Assert.Same(first.Outcome, Operation(session, 7, "build").Outcome);
        Assert.Equal(0, _harness.Release(session, "build").Get<ReleaseLockOutcome>().Depth);
        // The stored outcome is replayed, though the lock is no longer held.
        var replayed = Operation(session, 7, "build");
        Assert.Same(first.Outcome, replayed.Outcome);
        // A delivered outcome is not compensated.
        Operation(session, 8, "build");
        _harness.Apply(new CompensateDelivery(replayed.Delivery!.Value));
        Assert.Equal(1, session.HoldCount);
        var message = _harness.Apply(new ReleaseLock("build") { Session = session, OperationId = 7 })
            .Fails(ObjectErrorReason.Invalid).Message;
        Assert.Equal("operation 7 was a AcquireLock and is now a ReleaseLock; give each its own id", message);
        // Operation ids are per session.
        Assert.NotNull(Operation(_harness.Session(), 7, "build").Wait);
    }

    [Fact]
    public void An_outcome_that_was_given_back_is_not_replayed()
    {
        var session = _harness.Session();
        var first = Operation(session, 7, "build");
        _harness.Apply(new CompensateDelivery(first.Delivery!.Value));
        Assert.True(Operation(session, 7, "build").Token > first.Token);
    }

    [Fact]
    public void An_operation_sent_again_while_it_waits_takes_its_place_over()
    {
        var (ann, bob, cid) = (_harness.Session(), _harness.Session(), _harness.Session());
        _harness.Acquire(ann, "build");
        var lost = Operation(bob, 7, "build", TimeSpan.FromSeconds(5));
        var behind = _harness.Acquire(cid, "build");
        _harness.Advance(TimeSpan.FromSeconds(4));
        var again = Operation(bob, 7, "build", TimeSpan.FromSeconds(5));
        lost.Fails(ObjectErrorReason.Cancelled);
        Assert.Same(lost.Wait, again.Wait);
        // The first caller's late abandonment does not affect the second.
        _harness.Abandon(lost);
        _harness.Release(ann, "build");
        Assert.Equal([again], _harness.Completed.Skip(1));
        Assert.False(behind.HasOutcome);
    }

    [Fact]
    public void An_operation_that_a_newer_stream_has_sent_again_does_not_take_it_back_when_it_comes_late()
    {
        var (ann, bob) = (_harness.Session(), _harness.Session());
        _harness.Acquire(ann, "build");
        var acquire = new AcquireLock("build") { Session = bob, OperationId = 7 };
        var again = _harness.Apply(acquire, number: 1_001);
        _harness.Apply(acquire, number: 1_000).Fails(ObjectErrorReason.Cancelled);
        Assert.NotNull(again.Wait);
        _harness.Release(ann, "build");
        Assert.Equal(again.Outcome, _harness.Apply(acquire, number: 1_000).Outcome);
    }

    [Fact]
    public void Cancelled_operations_get_one_outcome_each_and_none_is_served_by_the_other_s_cancel()
    {
        var (ann, bob) = (_harness.Session(), _harness.Session());
        _harness.Acquire(ann, "a", LockMode.Read);
        _harness.Acquire(ann, "b");
        var writer = _harness.Apply(new AcquireLock("a", LockMode.Write) { Session = bob, OperationId = 1 });
        var other = Operation(bob, 2, "b");
        var done = Operation(bob, 3, "c");
        _harness.Apply(new CancelOperations([1, 2, 3, 4]) { Session = bob });
        Assert.Equal([writer, other], _harness.Completed.Skip(1));
        writer.Fails(ObjectErrorReason.Cancelled);
        other.Fails(ObjectErrorReason.Cancelled);
        Assert.True(done.Token > 0);
        Assert.Equal((0, 1), (_harness.View.WaitCount, bob.HoldCount));
    }

    [Fact]
    public void Request_ids_without_a_session_are_known_too_and_are_forgotten_in_time_and_number()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { ReplayWindow = TimeSpan.FromSeconds(10), MaxReplays = 2 });
        var first = Create("a");
        Assert.Same(first, Create("a"));
        Create("b");
        Create("c");
        var second = Create("a");
        Assert.NotSame(first, second);
        harness.Advance(TimeSpan.FromSeconds(10));
        Assert.NotSame(second, Create("a"));

        Session Create(string requestId) =>
            harness.Apply(new CreateSession("") { RequestId = requestId }).Get<CreateSessionOutcome>().Created;
    }

    [Fact]
    public void Kept_outcomes_take_no_more_room_than_they_may_and_go_with_their_session()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxReplayBytes = 1_000 });
        var sessions = new[] { harness.Session(), harness.Session() };
        for (var i = 0UL; i < 100; i++)
        {
            harness.Apply(new AcquireLock($"l{i}") { Session = sessions[i % 2], OperationId = i });
            Assert.InRange(harness.View.ReplayBytes, 1, 1_000);
        }

        foreach (var session in sessions)
            harness.End(session);
        Assert.Equal(0, harness.View.ReplayBytes);
    }

    [Fact]
    public void A_session_that_nobody_heard_of_ends()
    {
        var created = _harness.Apply(new CreateSession(""));
        _harness.Apply(new CompensateDelivery(created.Delivery!.Value));
        Assert.Equal(0, _harness.View.SessionCount);
    }

    private Call Operation(Session session, ulong id, string name, TimeSpan? timeout = null) =>
        _harness.Apply(new AcquireLock(name) { Session = session, OperationId = id, Timeout = timeout });
}
