using Orchestrator.Core.Budgets;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.Scheduling;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.State;
using Orchestrator.Core.Sync;
using Orchestrator.Core.Waits;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Every named object that processes share, and the sessions that hold them, as one deterministic state machine: the same commands at the
/// same times give the same effects. It has no clock, randomness or threads. The host calls every member under a lock and performs the
/// effects after it has released that lock. Times are monotonic, measured from any fixed origin.
/// </summary>
/// <remarks>
/// <para>
/// The parts: sessions and their ends (Sessions), waiting, timeouts and cancels (Waiting), repeated ids (Replays), queries (Queries), and
/// one file per primitive (Locks, …). The state machine of each primitive is in its own folder: <c>Sync/</c>, <c>Queues/</c>,
/// <c>Pipes/</c>, <c>State/</c>.
/// </para>
/// <para>
/// To add a primitive: (1) its state machine, a <see cref="NamedObject"/> in its folder, with a <see cref="WaiterQueue"/> for each
/// condition that commands can wait for, and a subclass of <see cref="Hold"/> for what a session can hold of it; (2) its commands, records
/// derived from <see cref="ObjectCommand"/> or <see cref="WaitingCommand"/> whose <c>ApplyTo</c> calls an <c>On…</c> method, with their
/// outcomes beside them (cached where they carry no data) and <c>Undo</c> where a grant can be returned; (3) <c>ObjectEngine.Xxx.cs</c>
/// with an <see cref="ObjectMap{T}"/> and the <c>On…</c> methods: validate, try, otherwise <see cref="Suspend"/>.
/// </para>
/// <para>
/// The invariants: every command gets one <see cref="Complete(ObjectCommand, ObjectOutcome)"/> or one successful <see cref="Suspend"/>,
/// whose wait later gets one <see cref="Resume"/>. A grant calls <see cref="AddHold"/> first, then Finish or Complete, so that an implicit
/// session is never seen empty in between. Complete the command's own outcome before serving other waiters. Waiters are served strictly
/// from the front; a command that arrives while others wait, waits behind them. Name a wait's blockers in
/// <see cref="NamedObject.AddBlockers"/>, including the waits ahead of it in the list; add none where an outsider can end the wait. An object
/// without holders and waiters is dropped: at once if its state equals that of a new object, otherwise after it has been idle
/// (<see cref="ScheduleIdleExpiry"/>), unless it was created to last.
/// </para>
/// </remarks>
public sealed partial class ObjectEngine
{
    private readonly ObjectEngineOptions _options;
    private readonly MemoryShare _memory;
    private readonly ContentTally _contents = new();
    private readonly DeadlineHeap<DeadlineNode> _deadlines = new();
    private readonly ObjectQuota _objectQuota;
    private readonly WaitGraph _graph = new();
    private ObjectEffects _effects = new();
    private Wait? _begun;
    private long _now;
    private long _sequence;

    /// <summary>Creates an engine without objects and sessions.</summary>
    /// <param name="options">Limits and durations.</param>
    /// <param name="memory">The memory budget shared with other components; null for none.</param>
    public ObjectEngine(ObjectEngineOptions options, MemoryBudget? memory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _memory = new MemoryShare(memory ?? new MemoryBudget(long.MaxValue));
        _objectQuota = new ObjectQuota(options.MaxObjects, options.MaxObjectsPerClient);
        _locks = new ObjectMap<LockState>(ObjectKind.Lock, _objectQuota);
        _semaphores = new ObjectMap<SemaphoreState>(ObjectKind.Semaphore, _objectQuota);
        _events = new ObjectMap<EventState>(ObjectKind.Event, _objectQuota);
        _conditions = new ObjectMap<ConditionState>(ObjectKind.Condition, _objectQuota);
        _barriers = new ObjectMap<BarrierState>(ObjectKind.Barrier, _objectQuota);
        _latches = new ObjectMap<LatchState>(ObjectKind.Latch, _objectQuota);
        _rateLimiters = new ObjectMap<RateLimiterState>(ObjectKind.RateLimiter, _objectQuota);
        _lastToken = options.LastFencingToken;
        _queues = new ObjectMap<QueueState>(ObjectKind.Queue, _objectQuota);
        _lastLeaseId = options.Queues.LastLeaseId;
        _pipes = new ObjectMap<PipeState>(ObjectKind.Pipe, _objectQuota);
        _dicts = new ObjectMap<DictState>(ObjectKind.Dict, _objectQuota);
        _lists = new ObjectMap<ListState>(ObjectKind.List, _objectQuota);
        _values = new ObjectMap<ValueState>(ObjectKind.Value, _objectQuota);
        _arrays = new ObjectMap<ArrayState>(ObjectKind.Array, _objectQuota);
    }

    /// <summary>When <see cref="Tick"/> is due; null while nothing depends on time.</summary>
    public TimeSpan? NextDeadline => _deadlines.First is { } first ? TimeSpan.FromTicks(first.Deadline) : null;

    /// <summary>The time of the command that is being applied, in ticks of 100 ns.</summary>
    internal long Now => _now;

    /// <summary>
    /// Applies one command at the time <paramref name="now"/> and appends the resulting work to <paramref name="effects"/>.
    /// </summary>
    /// <returns>The wait, if the command has to wait and its outcome is therefore not among the effects.</returns>
    public Wait? Apply(ObjectCommand command, TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(command);
        Enter(now, effects);
        _objectQuota.Client = command.Quota;
        if (command.Session is { HasEnded: true } ended)
            Complete(command, ObjectError.SessionLost(ended));
        else if (command is { Session: { } session, Client: { } client } && !MayUse(session, client))
            Complete(command, NotItsOwn(session));
        else if (!WasSentBefore(command) && !ExceedsMemory(command))
            command.ApplyTo(this);
        LeaveChanges();
        return _begun;
    }

    /// <summary>Advances time: timeouts, sessions without a sign of life, leases, permits that refill with time, idle objects.</summary>
    public void Tick(TimeSpan now, ObjectEffects effects)
    {
        Enter(now, effects);
        while (_deadlines.First is { } node && node.Deadline <= _now)
        {
            _deadlines.Remove(node);
            switch (node)
            {
                case Wait wait:
                    wait.Object.OnTimeout(this, wait);
                    break;
                case Session session:
                    Expire(session);
                    break;
                case ObjectTimer timer:
                    timer.OnDue(this);
                    break;
            }
        }

        LeaveChanges();
    }

    /// <summary>
    /// Refuses items and messages beyond the memory budget. The growth of shared state is known only after its edits have been
    /// evaluated.
    /// </summary>
    private bool ExceedsMemory(ObjectCommand command)
    {
        if (command.ContentBytes is not (> 0 and var bytes) || _memory.FitsNewWork(KeptBytes + bytes))
            return false;
        _effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, NoMemory(bytes)));
        return true;
    }

    private ObjectError NoMemory(long more) => new(
        ObjectErrorReason.LimitExceeded,
        $"the coordinator keeps {_memory.Budget.Used:N0} bytes, {KeptBytes:N0} of them for shared objects; {more:N0} more would " +
        $"pass its memory budget (memory_kept): {_memory.Budget.AdmissionLimit:N0} for new work, {_memory.Budget.PerKindLimit:N0} of them " +
        "for shared objects; retry once memory is freed");

    /// <summary>Why a client may not use that many more bytes; null if it may.</summary>
    private ObjectError? ValidateShare(ClientObjectQuota? client, long more) => client is null || client.Bytes + more <= _memory.Budget.PerClientLimit
        ? null
        : new ObjectError(
            ObjectErrorReason.LimitExceeded,
            $"the shared objects and waits of client {client.Name} take {client.Bytes:N0} bytes; {more:N0} more would " +
            $"pass one client's part of the memory budget (object_bytes_per_client), {_memory.Budget.PerClientLimit:N0}; retry once memory is freed")
        {
            Subject = client.Name,
        };

    private void Enter(TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(effects);
        // A clock that seems to run backwards (two cores, two threads) must not move the engine's time back.
        _now = Math.Max(_now, now.Ticks);
        _effects = effects;
        _objectQuota.Client = null;
        _begun = null;
    }

    private long After(TimeSpan span) => span.Ticks > long.MaxValue - _now ? long.MaxValue : _now + span.Ticks;
}
