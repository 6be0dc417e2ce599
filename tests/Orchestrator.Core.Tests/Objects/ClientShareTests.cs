using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// Part 5, 15, 17 and 23: one client's limits on sessions, objects, waits and bytes; and a client cannot act for another client's session.
/// </summary>
public sealed class ClientShareTests
{
    private readonly ClientObjectQuota _ann = new("ann", "ann");
    private readonly ClientObjectQuota _bob = new("bob", "bob");
    private int _keys;

    [Fact]
    public void Sessions_of_holds_without_one_count_and_come_back()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxSessionsPerClient = 2 });
        Acquire(harness, _ann, "a").Get<AcquireLockOutcome>();
        var second = Acquire(harness, _ann, "b").Get<AcquireLockOutcome>();
        Assert.Contains(
            "(sessions_per_client)", Acquire(harness, _ann, "c").Fails(ObjectErrorReason.LimitExceeded).Message, StringComparison.Ordinal);
        Acquire(harness, _bob, "c").Get<AcquireLockOutcome>();
        harness.Release(second.Session, "b");
        Acquire(harness, _ann, "d").Get<AcquireLockOutcome>();
        Assert.Equal((2, 1), (_ann.Sessions, _bob.Sessions));
    }

    [Fact]
    public void A_tenth_of_all_sessions_is_for_the_attempts_of_tasks()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxSessions = 20, MaxSessionsPerClient = 100 });
        for (var i = 0; i < 18; i++)
            harness.Apply(new CreateSession("") { Client = i % 2 == 0 ? _ann : _bob }).Get<CreateSessionOutcome>();
        Assert.Contains("kept for tasks", harness.Apply(new CreateSession("") { Client = _bob })
            .Fails(ObjectErrorReason.LimitExceeded).Message, StringComparison.Ordinal);
        var task = harness.Apply(new CreateSession("", Task: new SessionTask(1, 1, "worker-1#1")) { Client = _ann })
            .Get<CreateSessionOutcome>().Created;
        Assert.Equal(10, _ann.Sessions);
        harness.End(task, SessionEndCause.TaskEnded);
        Assert.Equal(9, _ann.Sessions);
    }

    [Fact]
    public void Objects_count_for_the_client_that_made_them()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxObjectsPerClient = 2 });
        Queue(harness, _ann, "a");
        var held = Acquire(harness, _ann, "a").Get<AcquireLockOutcome>();
        Assert.Contains("(objects_per_client, 2)", harness.Apply(NewQueue("b") with { Client = _ann })
            .Fails(ObjectErrorReason.LimitExceeded).Message, StringComparison.Ordinal);
        var waits = Acquire(harness, _bob, "a");
        harness.Release(held.Session, "a");
        Assert.True(waits.HasOutcome);
        // The lock counts for ann, who created it, as long as any session uses it.
        Assert.Equal((2, 0), (_ann.Objects, _bob.Objects));
        harness.Release(waits.Get<AcquireLockOutcome>().Session, "a");
        harness.Apply(new DeleteQueue("a") { Client = _bob });
        Assert.Equal((0, 0), (_ann.Objects, _bob.Objects));
    }

    [Fact]
    public void Waits_are_shared_too()
    {
        var harness = new ObjectHarness(new ObjectEngineOptions { MaxWaitsPerClient = 1 });
        harness.Acquire(harness.Session(), "a");
        var first = Acquire(harness, _ann, "a");
        Assert.NotNull(first.Wait);
        Assert.Contains(
            "(waits_per_client, 1)", Acquire(harness, _ann, "a").Fails(ObjectErrorReason.LimitExceeded).Message, StringComparison.Ordinal);
        Assert.NotNull(Acquire(harness, _bob, "a").Wait);
        harness.Abandon(first);
        Assert.Equal((0, 0L, 1), (_ann.Waits, _ann.Bytes, _bob.Waits));
    }

    /// <summary>Whichever kind of object a client fills: the others' part stays free, and all of it is returned.</summary>
    [Theory]
    [InlineData("queue")]
    [InlineData("pipe")]
    [InlineData("dict")]
    [InlineData("list")]
    public void One_client_fills_at_most_its_part_of_the_memory_whatever_it_uses(string kind)
    {
        var harness = new ObjectHarness(memory: new MemoryBudget(1_000_000));
        Make("ann", _ann);
        Make("bob", _bob);
        var accepted = 0;
        while (Fill("ann", _ann) is not ObjectError)
            accepted++;
        var error = Assert.IsType<ObjectError>(Fill("ann", _ann));
        Assert.Equal((ObjectErrorReason.LimitExceeded, "ann"), (error.Reason, error.Subject));
        Assert.Contains("(object_bytes_per_client)", error.Message, StringComparison.Ordinal);
        // Over the limit by at most the one change that is kept for watches.
        Assert.InRange(_ann.Bytes, 280_000, 302_000);
        Assert.InRange(accepted, 100, 300);
        // ann's queue is full, for bob too; bob's own queue is not.
        Assert.IsType<ObjectError>(Fill("ann", _bob));
        Assert.IsNotType<ObjectError>(Fill("bob", _bob));
        Clear("ann");
        Assert.Equal(0, _ann.Bytes);

        void Make(string name, ClientObjectQuota client)
        {
            if (kind == "queue")
                Queue(harness, client, name);
            else if (kind == "pipe")
                harness.Apply(new CreatePipe(new PipeSpec(name, Duplex: true) { MaxBytes = 4 << 20, MaxMessages = 100_000 })
                {
                    Client =
                    client
                }).Get<CreatePipeOutcome>();
        }

        ObjectOutcome Fill(string name, ClientObjectQuota client) => harness.Apply(kind switch
        {
            "queue" => new PutItems(name, [new PutItem(new Content(new object(), 1_000))]) { Client = client },
            "pipe" => new SendMessages(name, PipeEnd.B, [new Content(new object(), 1_000)]) { Client = client },
            "dict" => new UpdateDict(
                name, [new DictEdit(DictOperation.Set, $"k{++_keys}") { Value = new Content(new object(), 1_000) }])
            { Client = client },
            _ => new UpdateList(
                name, [new ListEdit(ListOperation.Append) { Value = new Content(new object(), 1_000) }])
            { Client = client },
        }).Outcome;

        void Clear(string name)
        {
            ObjectCommand[] commands = kind switch
            {
                "queue" => [new DeleteQueue(name)],
                "pipe" => [new ClosePipeEnd(name, PipeEnd.A), new ClosePipeEnd(name, PipeEnd.B)],
                "dict" => [new DeleteState(ObjectKind.Dict, name)],
                _ => [new DeleteState(ObjectKind.List, name)],
            };
            foreach (var command in commands)
                Assert.IsType<Done>(harness.Apply(command).Outcome);
        }
    }

    [Fact]
    public void A_session_is_for_the_credential_that_made_it()
    {
        var harness = new ObjectHarness();
        var session = harness.Apply(new CreateSession("mine") { Client = _ann }).Get<CreateSessionOutcome>().Created;
        harness.Apply(new AcquireLock("build") { Session = session, Client = _ann }).Get<AcquireLockOutcome>();
        ObjectCommand[] foreign = [new ReleaseLock("build"), new CloseSession(), new KeepSessionAlive(), new AttachSession(),
            new AcquireLock("other"), new CancelOperations([1])];
        foreach (var command in foreign)
        {
            command.Session = session;
            command.Client = _bob;
            var error = harness.Apply(command).Fails(ObjectErrorReason.PermissionDenied);
            // The error does not reveal the session id, which would allow its use.
            Assert.DoesNotContain(session.Id, error.Message, StringComparison.Ordinal);
        }

        Assert.False(session.HasEnded);
        // Another connection with the same credential is the same client.
        Assert.IsType<ReleaseLockOutcome>(
            harness.Apply(new ReleaseLock("build") { Session = session, Client = new ClientObjectQuota("ann/2", "ann") }).Outcome);

        var task = harness.Session(task: new SessionTask(7, 1, "worker-1#1"));
        harness.Apply(new AcquireLock("a") { Session = task, Client = _ann }).Fails(ObjectErrorReason.PermissionDenied);
        harness.Apply(new AcquireLock("a")
        {
            Session = task,
            Client = new ClientObjectQuota("worker", "worker #1") { ActsForTasks = true }
        }).Get<AcquireLockOutcome>();
    }

    /// <summary>23: lists and messages show an alias, which cannot be used as the session id.</summary>
    [Fact]
    public void An_alias_is_made_of_the_id_and_does_not_tell_it()
    {
        var harness = new ObjectHarness();
        var session = harness.Session("ann");
        // printf session-1 | sha256sum
        Assert.Equal(("session-1", "s-84097828"), (session.Id, session.Alias));
        Assert.Equal($"{session.Alias} (\"ann\")", session.ToString());
        Assert.DoesNotContain(session.Id, session.ToString(), StringComparison.Ordinal);
        var task = harness.Apply(new CreateSession("", Task: new SessionTask(7, 1, "worker-1#1")) { Id = "task-7-1" })
            .Get<CreateSessionOutcome>().Created;
        Assert.Equal("task-7-1", task.Alias);
    }

    private static Call Acquire(ObjectHarness harness, ClientObjectQuota client, string name) =>
        harness.Apply(new AcquireLock(name) { Client = client });

    private static CreateQueue NewQueue(string name) => new(new QueueSpec(name, QueueKind.Fifo) { MaxItems = 100_000, MaxBytes = 4 << 20 });

    private static void Queue(ObjectHarness harness, ClientObjectQuota client, string name) =>
        harness.Apply(NewQueue(name) with { Client = client }).Get<CreateQueueOutcome>();
}
