using Orchestrator.Core.Common;

namespace Orchestrator.Core.Kernel;

/// <summary>What the machine of a primitive may use of the kernel.</summary>
/// <remarks>
/// The invariants: every command gets one <see cref="Complete"/> or one successful <see cref="Suspend"/>, whose wait later gets one
/// <see cref="Resume"/>. A grant calls <see cref="AddHold"/> first, then Resume or Complete, so that an implicit session is never seen
/// empty in between. Complete the command's own outcome before serving other waiters. Waiters are served strictly from the front; a
/// command that arrives while others wait, waits behind them. Name a wait's blockers in <see cref="NamedObject.AddBlockers"/>, including
/// the waits ahead of it in the list; add none where an outsider can end the wait. An object without holders and waiters is dropped: at
/// once if its state equals that of a new object, otherwise after it has been idle (<see cref="PrimitiveMachine.ScheduleIdleExpiry"/>),
/// unless it was created to last.
/// </remarks>
internal interface IPrimitiveContext
{
    /// <summary>The time of the step, in ticks of 100 ns.</summary>
    long Now { get; }

    /// <summary>How long an object without holders, waiters and uses is kept.</summary>
    TimeSpan IdleTtl { get; }

    /// <summary>Bounds the number of objects; names the client that new objects are charged to.</summary>
    ObjectQuota Quota { get; }

    /// <summary>The bytes of content that count against the memory budget.</summary>
    ContentTally Contents { get; }

    /// <summary>What the current question may add to the indexes of objects and entries.</summary>
    IndexWork Indexing { get; }

    /// <summary>How many outcomes the step has had so far, see <see cref="DeliverFirst"/>.</summary>
    int OutcomeCount { get; }

    /// <summary>The time after a span from now.</summary>
    long After(TimeSpan span);

    /// <summary>A growing number: orders timers that are due at the same instant.</summary>
    long NextOrder();

    /// <summary>Ends a command that did not wait.</summary>
    void Complete(ObjectCommand command, ObjectOutcome outcome);

    /// <summary>
    /// Lets the command wait in a list of the object, at its end or behind <paramref name="after"/>; completes it at once if it must not
    /// wait: its timeout is zero, there are too many waits, or it would close a cycle.
    /// </summary>
    /// <returns>
    /// The wait; null when the command is completed, and then the caller must drop an object that it created for the wait.
    /// </returns>
    Wait? Suspend(WaitingCommand command, Session? session, NamedObject target, WaiterQueue list, Wait? after = null);

    /// <summary>Ends a wait, served or not. Waking the waits that it blocked is left to the machine.</summary>
    void Resume(Wait wait, ObjectOutcome outcome);

    /// <summary>
    /// Moves a wait to another list, where it waits on without a deadline: the second step of a two-step operation. The caller checks for a
    /// cycle there with <see cref="ValidateNoCycle"/>.
    /// </summary>
    void MoveWait(Wait wait, NamedObject target, WaiterQueue list, Wait? after = null);

    /// <summary>The error of a wait, already in its list, that closes a cycle; null if the wait may continue.</summary>
    ObjectError? ValidateNoCycle(Wait wait);

    /// <summary>
    /// Records a wait's progress: if the process ends now and the command is repeated, the completed part must not be done twice.
    /// </summary>
    void RecordProgress(Wait wait);

    /// <summary>
    /// A command may be served, in the same instant, only after the waits that its first part served, but its own outcome comes first.
    /// </summary>
    /// <param name="command">The command.</param>
    /// <param name="front">The <see cref="OutcomeCount"/> before it was served.</param>
    void DeliverFirst(ObjectCommand command, int front);

    /// <summary>A session for a request that named none; null if there are too many, and then the command is completed.</summary>
    Session? OpenImplicit(ObjectCommand command, TimeSpan? lease);

    /// <summary>An implicit session that was created with a lease lives at least until then.</summary>
    void ExtendImplicit(Session session, long until);

    /// <summary>The error in a time to live or a lease; null if it is valid.</summary>
    ObjectError? ValidateTtl(string field, TimeSpan? ttl);

    void AddHold(Hold hold);

    void RemoveHold(Hold hold);

    /// <summary>Sets when the timer is due, whether or not it was set before; <see cref="long.MaxValue"/> means never.</summary>
    void SetTimer(ObjectTimer timer, long deadline);

    void ClearTimer(ObjectTimer timer);

    /// <summary>Why objects of this durability cannot be used now; null if they can.</summary>
    ObjectError? ValidateDurable(Durability level);

    /// <summary>Records a change of a durable object.</summary>
    void Record(ObjectChange change, Durability level);

    /// <summary>Why a client may not use that many more bytes; null if it may.</summary>
    ObjectError? ValidateShare(ClientObjectQuota? client, long more);

    /// <summary>Why that many more bytes would exceed the memory budget; null if they fit.</summary>
    ObjectError? ValidateMemory(long more);

    /// <summary>As <see cref="ValidateMemory"/>, for content that <see cref="Contents"/> counts already.</summary>
    ObjectError? ValidateCountedMemory(long more);
}
