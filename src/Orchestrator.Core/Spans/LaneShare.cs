namespace Orchestrator.Core.Spans;

/// <summary>How much a handler used a lane within one bin of its history.</summary>
/// <param name="Handler">The number of the handler; see <see cref="SpanNames.HandlerName"/>.</param>
/// <param name="Hundredths">
/// The mean number of its attempts that ran at once, in hundredths: 100 is one slot of the lane, used the whole time.
/// </param>
public readonly record struct LaneShare(ushort Handler, ushort Hundredths);

/// <summary>What one lane did within one bin.</summary>
/// <param name="Lane">The number of the lane.</param>
/// <param name="Bin">The number of the bin; it began at this multiple of <see cref="LaneHistory.BinLength"/>.</param>
/// <param name="Shares">The handlers that used it most, at most <see cref="LaneHistory.Handlers"/>.</param>
public readonly record struct LaneMoment(int Lane, long Bin, ReadOnlyMemory<LaneShare> Shares);
