using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Tests.Objects;

/// <summary>
/// An engine with a manual clock. Every command is a <see cref="Call"/>, which receives exactly one outcome, at once or later.
/// </summary>
internal sealed class ObjectHarness(ObjectEngineOptions? options = null, MemoryBudget? memory = null)
{
    private long _calls;

    public ObjectEngine Engine { get; } = new(options ?? new ObjectEngineOptions(), memory);

    public ObjectEngineView View => Engine.View;

    public ObjectEffects Effects { get; } = new();

    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The calls that the last step completed, in order.</summary>
    public List<Call> Completed { get; } = [];

    /// <summary>The notices that the last step sent to sessions, in order.</summary>
    public IEnumerable<(Session Session, string ObjectName)> Noticed =>
        Effects.Notices.Select(notice => (notice.Session, notice.ObjectName));

    /// <param name="number">See <see cref="INumberedCaller"/>; by default each call counts as a newer stream than those before.</param>
    public Call Apply(ObjectCommand command, long? number = null)
    {
        var call = new Call { Number = number ?? ++_calls };
        Effects.Clear();
        call.Command = command with { Caller = call };
        call.Wait = Engine.Apply(call.Command, Now, Effects);
        Route();
        Assert.Equal(call.Wait is null, call.HasOutcome);
        return call;
    }

    public void Advance(TimeSpan by)
    {
        Now += by;
        Effects.Clear();
        Engine.Tick(Now, Effects);
        Route();
    }

    public void Abandon(Call call)
    {
        Effects.Clear();
        Engine.AbandonWait(call.Wait!, call, Now, Effects);
        Route();
    }

    public Session Session(string name = "", TimeSpan? ttl = null, SessionTask? task = null) =>
        Apply(new CreateSession(name, ttl, task)).Get<CreateSessionOutcome>().Created;

    public Call Acquire(Session? session, string name, LockMode mode = LockMode.Plain, TimeSpan? timeout = null) =>
        Apply(new AcquireLock(name, mode) { Session = session, Timeout = timeout });

    public Call Release(Session? session, string name) => Apply(new ReleaseLock(name) { Session = session });

    public void End(Session session, SessionEndCause cause = SessionEndCause.WorkerLost) =>
        Apply(new EndSessions([session], cause, "worker-1#3 was killed by SIGKILL (9)"));

    private void Route()
    {
        Completed.Clear();
        foreach (var delivery in Effects.Outcomes)
        {
            var call = (Call)delivery.Caller!;
            Assert.False(call.HasOutcome, "a second outcome");
            call.Delivery = delivery;
            Completed.Add(call);
        }
    }
}

/// <summary>A caller with one pending operation.</summary>
internal sealed class Call : INumberedCaller
{
    public long Number { get; init; }

    /// <summary>The command as the engine got it.</summary>
    public ObjectCommand? Command { get; set; }

    public Wait? Wait { get; set; }

    public ObjectDelivery? Delivery { get; set; }

    public bool HasOutcome => Delivery is not null;

    public ObjectOutcome Outcome => Delivery!.Value.Outcome;

    public ulong Token => Get<AcquireLockOutcome>().FencingToken;

    public T Get<T>()
        where T : ObjectOutcome
    {
        Assert.True(HasOutcome, "it still waits");
        return Assert.IsType<T>(Outcome);
    }

    public ObjectError Fails(ObjectErrorReason reason)
    {
        var error = Get<ObjectError>();
        Assert.Equal(reason, error.Reason);
        return error;
    }
}
