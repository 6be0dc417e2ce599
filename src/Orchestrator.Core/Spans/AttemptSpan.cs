namespace Orchestrator.Core.Spans;

/// <summary>
/// When one attempt ran; or several brief ones of one lane, handler and outcome, of which none began long after another had ended. Times
/// are ticks of 100 ns on the engine's clock.
/// </summary>
/// <param name="Start">When the first of them began.</param>
/// <param name="Length">From then to the end of the last.</param>
/// <param name="Busy">The sum of their run times.</param>
/// <param name="TaskId">The task of the last of them.</param>
/// <param name="Count">How many attempts these are.</param>
/// <param name="Lane">The number of the lane; see <see cref="SpanNames.FindLane"/>.</param>
/// <param name="Handler">The number of the handler; see <see cref="SpanNames.HandlerName"/>.</param>
/// <param name="Outcome">How they ended.</param>
/// <param name="IsRetried">Whether another attempt follows.</param>
public readonly record struct AttemptSpan(
    long Start, long Length, long Busy, long TaskId, int Count, int Lane, ushort Handler, AttemptOutcome Outcome, bool IsRetried)
{
    /// <summary>When the last attempt ended.</summary>
    public long End => Start + Length;
}
