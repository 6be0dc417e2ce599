using Orchestrator.Core.Spans;

namespace Orchestrator.Core.Tests.Spans;

/// <summary>Attempts of some lanes and handlers: bursts of brief ones, long ones, pauses.</summary>
internal sealed class RandomAttempts(int seed)
{
    private readonly LaneTrack[] _tracks = [.. Enumerable.Range(1, 4).Select(lane => new LaneTrack(lane))];
    private readonly List<AttemptSpan> _recorded = [];
    private long _now = TimeSpan.TicksPerHour;

    public Random Random { get; } = new(seed);

    public SpanLog Log { get; } = new();

    public IReadOnlyList<AttemptSpan> Recorded => _recorded;

    /// <summary>Records one attempt that ends now.</summary>
    public void RecordOne()
    {
        _now += Random.NextInt64(1L << Random.Next(1, 20));
        var ran = Random.NextInt64(1L << Random.Next(1, 22));
        var track = _tracks[Random.Next(_tracks.Length)];
        // Mostly one outcome and one handler per lane, so that there is something to fold.
        var outcome = Random.Next(10) == 0 ? AttemptOutcome.Failed : AttemptOutcome.Succeeded;
        var handler = (ushort)(Random.Next(6) == 0 ? 9 : track.Lane);
        var isRetried = outcome == AttemptOutcome.Failed && ran % 2 == 0;
        var attempt = new AttemptSpan(_now - ran, ran, ran, _recorded.Count, 1, track.Lane, handler, outcome, isRetried);
        _recorded.Add(attempt);
        Log.Record(track, attempt);
    }
}
