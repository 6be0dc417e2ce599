using Google.Protobuf.WellKnownTypes;
using Orchestrator.Coordinator.Infrastructure;
using Orchestrator.Core.Spans;
using Orchestrator.Core.TaskModel;

namespace Orchestrator.Coordinator.Mapping;

/// <summary>Converts spans of attempts and the history of lanes to messages.</summary>
internal static class SpanMapper
{
    private const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    /// <summary>A block of spans, without the names of its lanes and handlers.</summary>
    public static V1.SpanBlock ToBlock(ReadOnlySpan<AttemptSpan> spans, MonotonicClock clock)
    {
        var block = new V1.SpanBlock();
        if (spans.Length == 0)
            return block;
        // The middle of what 32 bits of microseconds can hold, about 71 minutes, lies at the end of the spans.
        var origin = spans[^1].End;
        block.Origin = Timestamp.FromDateTimeOffset(clock.ToWallClock(origin));
        foreach (ref readonly var span in spans)
        {
            block.StartUs.Add((int)Math.Max(int.MinValue, (span.Start - origin) / TicksPerMicrosecond));
            block.LengthUs.Add(Microseconds(span.Length));
            block.BusyUs.Add(Microseconds(span.Busy));
            block.TaskId.Add((ulong)span.TaskId);
            block.Count.Add((uint)span.Count);
            block.Lane.Add((uint)span.Lane);
            block.Handler.Add(span.Handler);
            block.Outcome.Add((V1.AttemptOutcome)(int)span.Outcome);
            block.Retried.Add(span.IsRetried);
        }

        return block;
    }

    /// <summary>The last bins of the lanes.</summary>
    public static V1.LaneHistory ToHistory(IReadOnlyList<LaneMoment> moments, SpanNames names, MonotonicClock clock)
    {
        var history = new V1.LaneHistory();
        if (moments.Count == 0)
            return history;
        var first = moments.Min(moment => moment.Bin);
        history.Origin = Timestamp.FromDateTimeOffset(clock.ToWallClock(first * LaneHistory.BinLength.Ticks));
        foreach (var moment in moments)
        {
            foreach (var share in moment.Shares.Span)
            {
                history.Tenths.Add((uint)(moment.Bin - first));
                history.Lane.Add((uint)moment.Lane);
                history.Handler.Add(share.Handler);
                history.Hundredths.Add(share.Hundredths);
            }
        }

        history.Lanes.AddRange(
            history.Lane.Distinct().Select(number => names.FindLane((int)number)).OfType<SpanLane>().Select(ToMessage));
        history.Handlers.AddRange(history.Handler.Distinct().Select(number => ToMessage((int)number, names)));
        return history;
    }

    public static V1.SpanLane ToMessage(SpanLane lane) => new()
    {
        Number = (uint)lane.Number,
        Worker = lane.Placement == PlacementPolicy.WorkerProcess ? lane.Worker : $"@{lane.Placement.ToString().ToLowerInvariant()}",
        Kind = (V1.TaskKind)((int)lane.Kind + 1),
    };

    public static V1.SpanHandler ToMessage(int handler, SpanNames names) => new()
    {
        Number = (uint)handler,
        Name = names.HandlerName(handler),
    };

    private static uint Microseconds(long ticks) => (uint)Math.Min(uint.MaxValue, ticks / TicksPerMicrosecond);
}
