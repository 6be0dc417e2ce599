using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Latches;

/// <summary>
/// Waits until a latch has counted down to 0; from then on all waits pass. Errors: NOT_FOUND if it does not exist and the command gives no
/// initial count, KIND_MISMATCH, INVALID, LIMIT_EXCEEDED, SESSION_LOST, CANCELLED.
/// </summary>
/// <remarks>
/// A latch that is open, or untouched, is dropped after <see cref="KernelOptions.IdleTtl"/> without use; one in between
/// stays.
/// </remarks>
/// <param name="Latch">Its name.</param>
/// <param name="Count">The initial count: creates the latch. 0 leaves that to other sessions.</param>
public sealed record WaitLatch(string Latch, long Count = 0) : WaitingCommand
{
    internal override ObjectOutcome TimedOut => new WaitLatchOutcome(WaitStatus.Timeout, 0);

    internal override ObjectKind Primitive => ObjectKind.Latch;
}

/// <summary>How a wait for a latch ended.</summary>
/// <param name="Status">Ok or timeout.</param>
/// <param name="Remaining">The remaining count.</param>
public sealed record WaitLatchOutcome(WaitStatus Status, long Remaining) : ObjectOutcome
{
    /// <inheritdoc/>
    public override bool IsSuccess => Status == WaitStatus.Ok;

    internal static WaitLatchOutcome Open { get; } = new(WaitStatus.Ok, 0);
}

/// <summary>
/// Counts a latch down. Errors: OVER_RELEASED below 0, and nothing changes; NOT_FOUND, KIND_MISMATCH, INVALID, LIMIT_EXCEEDED,
/// SESSION_LOST.
/// </summary>
/// <param name="Latch">Its name.</param>
/// <param name="Count">The initial count: creates the latch. 0 leaves that to other sessions.</param>
/// <param name="By">By how much; 0 means 1.</param>
public sealed record CountDownLatch(string Latch, long Count = 0, long By = 1) : ObjectCommand
{
    internal override ObjectKind Primitive => ObjectKind.Latch;
}

/// <summary>A latch was counted down.</summary>
/// <param name="Remaining">The remaining count.</param>
public sealed record CountDownLatchOutcome(long Remaining) : ObjectOutcome;
