using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Spans;

/// <summary>
/// The last attempts of all workers as spans of time, kept while a client watches them. At a million attempts a second a viewer cannot see
/// each, so brief ones are folded: the number of spans is bounded by time and lanes, while the sums of counts and run times stay exact. Has
/// no clock; to be used under the lock of its engine.
/// </summary>
/// <remarks>Any number of readers share one log: each has a position, and gets what was added after it.</remarks>
public sealed class SpanLog
{
    /// <summary>How many spans are kept.</summary>
    public const int Capacity = 1 << 17;

    /// <summary>The fold width of a calm log.</summary>
    public static readonly TimeSpan MinFoldWidth = TimeSpan.FromMilliseconds(1);

    // Those with an open span, and some that had one.
    private readonly List<LaneTrack> _listed = [];
    private AttemptSpan[] _ring = [];

    /// <summary>Whether attempts are recorded. The memory for spans is taken when this is first set.</summary>
    public bool IsOn { get; private set; }

    /// <summary>The number of spans ever added: the position of a reader that has them all.</summary>
    public long Head { get; private set; }

    /// <summary>The attempts that were recorded.</summary>
    public long Attempts { get; private set; }

    /// <summary>
    /// Attempts of one lane, handler and outcome that are shorter than this, and less than this apart, become one span. A reader that gets
    /// more spans than it can show widens it.
    /// </summary>
    public TimeSpan FoldWidth { get; set; } = MinFoldWidth;

    /// <summary>Starts or stops recording.</summary>
    public void Switch(bool on)
    {
        if (IsOn == on)
            return;
        IsOn = on;
        if (on && _ring.Length == 0)
            _ring = new AttemptSpan[Capacity];
        if (!on)
            CloseAll();
    }

    /// <summary>Copies the spans after a position, up to now, and moves the position behind them.</summary>
    /// <param name="position">The reader's position.</param>
    /// <param name="into">Receives the newest spans that fit, oldest first.</param>
    /// <param name="missed">How many spans the reader has missed: they are no longer kept, or did not fit.</param>
    /// <returns>How many spans were copied.</returns>
    public int Read(ref long position, Span<AttemptSpan> into, out long missed)
    {
        CloseAll();
        var from = Math.Max(position, Head - Math.Min(into.Length, Capacity));
        missed = from - position;
        position = Head;
        for (var at = from; at < Head; at++)
            into[(int)(at - from)] = _ring[at & (Capacity - 1)];
        return (int)(Head - from);
    }

    /// <summary>The kept spans that overlap a period, about in the order of their ends.</summary>
    public List<AttemptSpan> ReadPeriod(TimeSpan from, TimeSpan to)
    {
        CloseAll();
        var found = new List<AttemptSpan>();
        for (var at = Math.Max(0, Head - Capacity); at < Head; at++)
        {
            ref readonly var span = ref _ring[at & (Capacity - 1)];
            if (span.End >= from.Ticks && span.Start < to.Ticks)
                found.Add(span);
        }

        return found;
    }

    /// <summary>Adds an attempt that has left its worker.</summary>
    internal void Record(LaneTrack track, in AttemptSpan attempt)
    {
        Attempts++;
        var width = FoldWidth.Ticks;
        if (track.IsOpen && attempt.Busy < width && Fits(track.Open, attempt, width))
        {
            var (open, start) = (track.Open, Math.Min(track.Open.Start, attempt.Start));
            track.Open = open with
            {
                Start = start,
                Length = Math.Max(open.End, attempt.End) - start,
                Busy = open.Busy + attempt.Busy,
                TaskId = attempt.TaskId,
                Count = open.Count + 1,
            };
            return;
        }

        Close(track);
        if (attempt.Busy >= width)
        {
            Add(attempt);
            return;
        }

        track.Open = attempt;
        track.IsOpen = true;
        if (!track.IsListed)
            _listed.Add(track);
        track.IsListed = true;
    }

    private static bool Fits(in AttemptSpan open, in AttemptSpan attempt, long width) =>
        open.Handler == attempt.Handler && open.Outcome == attempt.Outcome && open.IsRetried == attempt.IsRetried
        && attempt.Start - open.End < width && open.Start - attempt.End < width;

    private void CloseAll()
    {
        foreach (var track in _listed)
        {
            Close(track);
            track.IsListed = false;
        }

        _listed.Clear();
    }

    private void Close(LaneTrack track)
    {
        if (track.IsOpen)
            Add(track.Open);
        track.IsOpen = false;
    }

    private void Add(in AttemptSpan span) => _ring[Head++ & (Capacity - 1)] = span;
}
