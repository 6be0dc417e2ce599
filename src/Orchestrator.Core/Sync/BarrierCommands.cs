using Orchestrator.Core.Objects;

namespace Orchestrator.Core.Sync;

/// <summary>
/// Waits until all parties are there. Whoever leaves before, for whatever reason (a timeout, also one of zero; a cancel, an end of its session, a
/// caller who has gone), breaks the barrier for all: its party will not be complete.
/// </summary>
/// <remarks>
/// A round that is complete cannot be taken back: giving its outcome back changes nothing. Errors: BROKEN_BARRIER with the cause, until reset; NOT_FOUND
/// where it does not exist and nothing says for how many it is, KIND_MISMATCH, INVALID, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Barrier">Its name.</param>
/// <param name="Parties">How many meet: creates the barrier. 0 leaves that to others.</param>
public sealed record WaitBarrier(string Barrier, int Parties = 0) : WaitingCommand
{
    internal override ObjectOutcome TimedOut => WaitBarrierOutcome.TimedOut;

    internal override void ApplyTo(ObjectEngine engine) => engine.OnWaitBarrier(this);
}

/// <summary>How a wait at a barrier ended.</summary>
/// <param name="Status">Ok, or timeout for the one whose timeout broke the barrier.</param>
/// <param name="Index">0 to parties − 1 in the order of arrival, each once per generation; the last one to come has the largest.</param>
/// <param name="Generation">How many rounds were complete before this one.</param>
public sealed record WaitBarrierOutcome(WaitStatus Status, int Index, long Generation) : ObjectOutcome
{
    internal static WaitBarrierOutcome TimedOut { get; } = new(WaitStatus.Timeout, 0, 0);
}

/// <summary>What to do with a barrier; the numbers are those of <c>orchestrator.v1.BarrierAction</c>.</summary>
public enum BarrierAction : byte
{
    /// <summary>Mends a broken barrier. Those who wait at an unbroken one get BROKEN_BARRIER, and then it is as new.</summary>
    Reset = 1,

    /// <summary>Breaks it for those who wait and all who come, until reset.</summary>
    Abort = 2,
}

/// <summary>Resets or aborts a barrier. Errors: NOT_FOUND, INVALID, SESSION_LOST.</summary>
/// <param name="Barrier">Its name.</param>
/// <param name="Action">What to do.</param>
public sealed record ControlBarrier(string Barrier, BarrierAction Action) : ObjectCommand
{
    internal override void ApplyTo(ObjectEngine engine) => engine.OnControlBarrier(this);
}

/// <summary>A barrier was reset or aborted.</summary>
/// <param name="Waiting">How many waited, and have got BROKEN_BARRIER.</param>
public sealed record ControlBarrierOutcome(int Waiting) : ObjectOutcome;
