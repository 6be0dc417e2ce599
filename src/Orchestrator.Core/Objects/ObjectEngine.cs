using Orchestrator.Core.Barriers;
using Orchestrator.Core.Common;
using Orchestrator.Core.Conditions;
using Orchestrator.Core.Events;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Latches;
using Orchestrator.Core.Locks;
using Orchestrator.Core.Pipes;
using Orchestrator.Core.Queues;
using Orchestrator.Core.RateLimiters;
using Orchestrator.Core.Semaphores;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Every named object that processes share, and the sessions that hold them, as one deterministic state machine: the same commands at the
/// same times give the same effects. It has no clock, randomness or threads. The host calls every member under a lock and performs the
/// effects after it has released that lock. Times are monotonic, measured from any fixed origin.
/// </summary>
/// <remarks>
/// <para>
/// The parts: the <see cref="ObjectKernel"/>, which all primitives share (sessions and their holds, waits, timers, repeated ids, memory,
/// durable changes), and for each primitive a <see cref="PrimitiveMachine"/> in its own folder. The engine enters a step, refuses what must
/// not be executed, and dispatches the command to the machine of its <see cref="ObjectCommand.Primitive"/>. Questions go
/// to the <see cref="View"/>, which asks the machines.
/// </para>
/// <para>
/// To add a primitive, make a folder with: (1) its state, a <see cref="NamedObject"/> with a <see cref="WaiterQueue"/> for each condition
/// that commands can wait for, and a subclass of <see cref="Hold"/> for what a session can hold of it; (2) its commands, records derived
/// from <see cref="ObjectCommand"/> or <see cref="WaitingCommand"/>, with their outcomes beside them (cached where they carry no data); (3)
/// its machine with an <see cref="ObjectMap{T}"/>: <see cref="PrimitiveMachine.Apply"/> validates, tries, and otherwise suspends;
/// <see cref="PrimitiveMachine.Undo"/> returns a grant. Then give it an <see cref="ObjectKind"/> and create the machine in this class.
/// The machine sees the <see cref="IPrimitiveContext"/>, whose remarks state the invariants, and never this class. If it needs another
/// primitive, as conditions need locks, the constructor passes that machine, and only one of the two may know the other.
/// </para>
/// </remarks>
public sealed class ObjectEngine
{
    private readonly ClientObjectQuotaRegistry _clients;
    private readonly int _largestContent;
    private readonly ObjectKernel _kernel;
    private readonly QueueMachine _queues;
    private readonly SharedStateMachine _state;

    /// <summary>Creates an engine without objects and sessions.</summary>
    /// <param name="options">Limits and durations.</param>
    /// <param name="memory">The memory budget shared with other components; null for none.</param>
    public ObjectEngine(ObjectEngineOptions options, MemoryBudget? memory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        _clients = options.Clients;
        _largestContent = options.LargestContent;
        _kernel = new ObjectKernel(options, memory ?? new MemoryBudget(long.MaxValue));
        var machines = _kernel.Machines;
        machines[ObjectKind.Lock] = Locks = new LockMachine(_kernel, options.LastFencingToken);
        machines[ObjectKind.Semaphore] = new SemaphoreMachine(_kernel);
        machines[ObjectKind.Event] = new EventMachine(_kernel);
        machines[ObjectKind.Condition] = new ConditionMachine(_kernel, Locks);
        machines[ObjectKind.Barrier] = new BarrierMachine(_kernel);
        machines[ObjectKind.Latch] = new LatchMachine(_kernel);
        var rateLimiters = new RateLimiterMachine(_kernel);
        machines[ObjectKind.RateLimiter] = rateLimiters;
        machines[ObjectKind.Queue] = _queues = new QueueMachine(_kernel, options.Queues);
        var pipes = new PipeMachine(_kernel, options.Pipes);
        machines[ObjectKind.Pipe] = pipes;
        _state = new SharedStateMachine(_kernel, options.State, _largestContent, Locks);
        machines[ObjectKind.Dict] = machines[ObjectKind.List] = machines[ObjectKind.Value] = machines[ObjectKind.Array] = _state;
        View = new ObjectEngineView(_kernel, Locks, rateLimiters, _queues, pipes, _state);
    }

    /// <summary>What can be asked of the engine.</summary>
    public ObjectEngineView View { get; }

    /// <summary>When <see cref="Tick"/> is due; null while nothing depends on time.</summary>
    public TimeSpan? NextDeadline => _kernel.NextDeadline is { } deadline ? TimeSpan.FromTicks(deadline) : null;

    /// <summary>Why durable objects can no longer be changed; null while they can. Once set it stays.</summary>
    public string? JournalFailure
    {
        get => _kernel.Durable.JournalFailure;
        set => _kernel.Durable.JournalFailure = value;
    }

    /// <summary>The machine of locks.</summary>
    internal LockMachine Locks { get; }

    /// <summary>The kernel, as machines see it: for a primitive that a test adds to <see cref="Machines"/>.</summary>
    internal IPrimitiveContext Context => _kernel;

    /// <summary>The machines of all kinds.</summary>
    internal MachineTable Machines => _kernel.Machines;

    /// <summary>
    /// Applies one command at the time <paramref name="now"/> and appends the resulting work to <paramref name="effects"/>.
    /// </summary>
    /// <returns>The wait, if the command has to wait and its outcome is therefore not among the effects.</returns>
    public Wait? Apply(ObjectCommand command, TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(command);
        _kernel.Begin(now, effects, command.Quota);
        if (command.Session is { HasEnded: true } ended)
            _kernel.Complete(command, ObjectError.SessionLost(ended));
        else if (command is { Session: { } session, Client: { } client } && !session.MayBeUsedBy(client))
            _kernel.Complete(command, SessionTable.NotItsOwn(session));
        else if (!_kernel.Replays.TryAnswer(command) && !IsTooLarge(command) && !ExceedsMemory(command))
            _kernel.Machines.Of(command).Apply(command);
        EndStep();
        return _kernel.Step.Begun;
    }

    /// <summary>Advances time: timeouts, sessions without a sign of life, leases, permits that refill with time, idle objects.</summary>
    public void Tick(TimeSpan now, ObjectEffects effects)
    {
        _kernel.Begin(now, effects, null);
        _kernel.RunDue();
        EndStep();
    }

    /// <summary>
    /// The caller of this wait has disconnected, so its outcome cannot be delivered: nothing is taken, and nothing is delivered. Does
    /// nothing if the wait has ended, or was taken over by another caller that sent the same operation again. If the caller disconnects
    /// after the outcome has been taken from the effects, use <see cref="CompensateDelivery"/>.
    /// </summary>
    /// <param name="wait">What <see cref="Apply"/> returned.</param>
    /// <param name="caller">The caller that the command named.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">The resulting work.</param>
    /// <returns>Whether this ended the wait; false where it has had its outcome, or another caller took it over.</returns>
    public bool AbandonWait(Wait wait, object? caller, TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(wait);
        _kernel.Begin(now, effects, null);
        var ended = _kernel.Waits.Abandon(wait, caller);
        EndStep();
        return ended;
    }

    /// <summary>
    /// Restores the durable objects of an earlier process, before the first command. Sessions, waits and holds do not outlive the process;
    /// so for durable objects a restart equals the end of all sessions.
    /// </summary>
    /// <param name="restored">The recovered objects.</param>
    /// <param name="now">The time; times in <paramref name="restored"/> may lie before the engine's zero.</param>
    /// <param name="effects">The resulting changes: an item whose last allowed delivery was interrupted becomes a dead letter.</param>
    public void Restore(RestoredObjects restored, TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(restored);
        _kernel.Begin(now, effects, null);
        _state.RestoreFloor(restored.StateFloor);
        foreach (var state in restored.States)
        {
            _kernel.Quota.Client = _clients.OwnerOf(state.Owner);
            _state.Restore(state);
        }

        foreach (var request in restored.Requests)
            _kernel.Replays.Restore(request, briefly: request.Command == typeof(GetItems));
        _queues.Restore(restored.Queues, _clients);
        EndStep();
    }

    /// <summary>Refuses content beyond the size that one item, message or value may have.</summary>
    private bool IsTooLarge(ObjectCommand command)
    {
        if (command.FindLarge(_largestContent) is not var (field, bytes))
            return false;
        _kernel.Complete(command, new ObjectError(
            ObjectErrorReason.LimitExceeded,
            $"{field} has {bytes:N0} bytes; the limit (payload_bytes) is {_largestContent:N0}: send a name or a path instead of a large " +
            "object, or raise the limit (--max-payload)")
        {
            Field = field,
        });
        return true;
    }

    /// <summary>
    /// Refuses items and messages beyond the memory budget. The growth of shared state is known only after its edits have been
    /// evaluated.
    /// </summary>
    private bool ExceedsMemory(ObjectCommand command)
    {
        if (command.ContentBytes is not (> 0 and var bytes) || _kernel.ValidateMemory(bytes) is not { } full)
            return false;
        _kernel.Step.Effects.Outcomes.Add(new ObjectDelivery(command.Caller, command.Tag, full));
        return true;
    }

    /// <summary>At the end of a step: records its changes to queues, and its answers to requests that callers may repeat.</summary>
    private void EndStep()
    {
        _queues.RecordChanges();
        _kernel.Memory.Publish();
        _kernel.Replays.RecordAnswers();
    }
}
