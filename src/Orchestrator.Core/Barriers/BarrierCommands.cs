using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Barriers;

/// <summary>
/// Waits until all parties have arrived. A party that leaves before, for any reason (a timeout, also one of zero; a cancel, the end of its
/// session, a disconnected caller), breaks the barrier for all: the round cannot become complete.
/// </summary>
/// <remarks>
/// A complete round cannot be undone: undoing its outcome changes nothing. Errors: BROKEN_BARRIER with the cause, until reset; NOT_FOUND if
/// it does not exist and the command gives no number of parties, KIND_MISMATCH, INVALID, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </remarks>
/// <param name="Barrier">Its name.</param>
/// <param name="Parties">The number of parties: creates the barrier. 0 leaves that to other sessions.</param>
public sealed record WaitBarrier(string Barrier, int Parties = 0) : WaitingCommand
{
    internal override ObjectOutcome TimedOut => WaitBarrierOutcome.TimedOut;

    internal override ObjectKind Primitive => ObjectKind.Barrier;
}

/// <summary>How a wait at a barrier ended.</summary>
/// <param name="Status">Ok, or timeout for the one whose timeout broke the barrier.</param>
/// <param name="Index">0 to parties − 1 in the order of arrival, each once per generation; the last arrival has the largest.</param>
/// <param name="Generation">How many rounds were complete before this one.</param>
public sealed record WaitBarrierOutcome(WaitStatus Status, int Index, long Generation) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal static WaitBarrierOutcome TimedOut { get; } = new(WaitStatus.Timeout, 0, 0);
}

/// <summary>What to do with a barrier; the numbers are those of <c>orchestrator.v1.BarrierAction</c>.</summary>
public enum BarrierAction : byte
{
    /// <summary>Repairs a broken barrier. The waits at an unbroken one get BROKEN_BARRIER, and then it is as new.</summary>
    Reset = 1,

    /// <summary>Breaks it for current waits and all later ones, until reset.</summary>
    Abort = 2,
}

/// <summary>Resets or aborts a barrier. Errors: NOT_FOUND, INVALID, SESSION_LOST.</summary>
/// <param name="Barrier">Its name.</param>
/// <param name="Action">What to do.</param>
public sealed record ControlBarrier(string Barrier, BarrierAction Action) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Barrier;
}

/// <summary>A barrier was reset or aborted.</summary>
/// <param name="Waiting">How many commands waited, and have got BROKEN_BARRIER.</param>
public sealed record ControlBarrierOutcome(int Waiting) : ObjectOutcome;
