using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>
/// What all primitives share: the step in progress, sessions and their holds, waits, timers, repeated ids, memory and durable changes. It
/// knows no primitive, only their <see cref="Machines"/>.
/// </summary>
internal sealed class ObjectKernel : IPrimitiveContext
{
    private readonly DeadlineHeap<DeadlineNode> _deadlines = new();
    private readonly SessionMachine _sessionMachine;

    public ObjectKernel(KernelOptions options, MemoryBudget budget)
    {
        Options = options;
        Quota = new ObjectQuota(options.MaxObjects, options.MaxObjectsPerClient);
        Sessions = new SessionTable(options, Step, _deadlines, Tallies);
        Replays = new CommandReplays(options, Step);
        Durable = new DurableChanges(Step);
        Memory = new ObjectMemory(budget, Contents, Quota, Sessions, Replays.Budget);
        WaitCharges = new WaitCharges(options, Memory, Contents);
        Followers = new OperationFollowers(Step, WaitCharges);
        Waits = new WaitTable(Step, _deadlines, Sessions, Replays, WaitCharges, Followers, Machines, Tallies);
        Machines[ObjectKind.Session] = _sessionMachine = new SessionMachine(this, options);
        Machines[ObjectKind.Task] = new TaskJoinMachine(this);
    }

    public KernelOptions Options { get; }

    public EngineStep Step { get; } = new();

    public MachineTable Machines { get; } = new();

    public SessionTable Sessions { get; }

    public CommandReplays Replays { get; }

    public WaitTable Waits { get; }

    public WaitCharges WaitCharges { get; }

    public OperationFollowers Followers { get; }

    public KindTallies Tallies { get; } = new();

    public DurableChanges Durable { get; }

    public ObjectMemory Memory { get; }

    public ObjectQuota Quota { get; }

    public ContentTally Contents { get; } = new();

    public IndexWork Indexing { get; } = new();

    /// <summary>When something is due, in ticks; null while nothing depends on time.</summary>
    public long? NextDeadline => _deadlines.First?.Deadline;

    public long Now => Step.Now;

    public TimeSpan IdleTtl => Options.IdleTtl;

    public int OutcomeCount => Step.Effects.Outcomes.Count;

    /// <summary>Begins a step on behalf of a client.</summary>
    public void Begin(TimeSpan now, ObjectEffects effects, ClientObjectQuota? client)
    {
        Step.Begin(now, effects);
        Quota.Client = client;
    }

    /// <summary>Runs all that is due: timeouts, sessions without a sign of life, timers of objects.</summary>
    public void RunDue()
    {
        while (_deadlines.First is { } node && node.Deadline <= Now)
        {
            _deadlines.Remove(node);
            switch (node)
            {
                case Wait wait:
                    Machines.Of(wait.Object).OnTimeout(wait);
                    break;
                case Session session:
                    _sessionMachine.Expire(session);
                    break;
                case ObjectTimer timer:
                    Machines.Of(timer.Object).OnTimer(timer);
                    break;
            }
        }
    }

    public long After(TimeSpan span) => Step.After(span);

    public long NextOrder() => Step.NextOrder();

    public void Complete(ObjectCommand command, ObjectOutcome outcome) => Waits.Complete(command, outcome);

    public Wait? Suspend(WaitingCommand command, Session? session, NamedObject target, WaiterQueue list, Wait? after = null) =>
        Waits.Suspend(command, session, target, list, after);

    public void Resume(Wait wait, ObjectOutcome outcome) => Waits.Resume(wait, outcome);

    public void MoveWait(Wait wait, NamedObject target, WaiterQueue list, Wait? after = null) => Waits.Move(wait, target, list, after);

    public ObjectError? ValidateNoCycle(Wait wait) => Waits.ValidateNoCycle(wait);

    public void RecordProgress(Wait wait) => Replays.RememberProgress(wait);

    public void DeliverFirst(ObjectCommand command, int front)
    {
        var outcomes = Step.Effects.Outcomes;
        var own = outcomes.FindIndex(front, delivery => ReferenceEquals(delivery.Granted, command));
        if (own <= front)
            return;
        var delivery = outcomes[own];
        outcomes.RemoveAt(own);
        outcomes.Insert(front, delivery);
    }

    public Session? OpenImplicit(ObjectCommand command, TimeSpan? lease)
    {
        if (Sessions.ValidateNew(command.Client, isTask: false) is not { } full)
            return Sessions.Open(command.Client, "", lease ?? Options.DefaultSessionTtl, null, isImplicit: true);
        Complete(command, full);
        return null;
    }

    public void ExtendImplicit(Session session, long until) => Sessions.ExtendImplicit(session, until);

    public ObjectError? ValidateTtl(string field, TimeSpan? ttl) => Sessions.ValidateTtl(field, ttl);

    public void AddHold(Hold hold) => Sessions.AddHold(hold);

    public void RemoveHold(Hold hold) => Sessions.RemoveHold(hold);

    public void SetTimer(ObjectTimer timer, long deadline) => _deadlines.Set(timer, deadline);

    public void ClearTimer(ObjectTimer timer) => _deadlines.Remove(timer);

    public ObjectError? ValidateDurable(Durability level) => Durable.Validate(level);

    public void Record(ObjectChange change, Durability level) => Durable.Record(change, level);

    public ObjectError? ValidateShare(ClientObjectQuota? client, long more) => Memory.ValidateShare(client, more);

    public ObjectError? ValidateMemory(long more) => Memory.Validate(more);

    public ObjectError? ValidateCountedMemory(long more) => Memory.ValidateCounted(more);
}
