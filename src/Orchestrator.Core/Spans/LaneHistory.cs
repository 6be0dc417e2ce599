namespace Orchestrator.Core.Spans;

/// <summary>
/// What every lane did in the last 15 minutes, in bins of 100 ms: the handlers that used it most. Always kept, so that a page can look back
/// to a time before it was opened; a lane takes memory only for minutes in which something ran on it. To be used under the lock of its
/// engine.
/// </summary>
public sealed class LaneHistory
{
    /// <summary>How many handlers of a bin are kept.</summary>
    public const int Handlers = 4;

    internal const long BinTicks = TimeSpan.TicksPerSecond / 10;

    private const int BinsOfPage = 600;
    private const int PagesKept = 15;

    // 9.6 KB each: 3 MB.
    private const int MaxPages = 320;

    // Oldest first.
    private readonly LinkedList<Page> _pages = new();
    private readonly Dictionary<(int Lane, long Number), LinkedListNode<Page>> _index = [];
    private readonly List<LaneTrack> _pending = [];

    /// <summary>The time that one bin stands for.</summary>
    public static TimeSpan BinLength => new(BinTicks);

    /// <summary>The bins of all lanes in a period, by lane and time; bins in which nothing ran are left out.</summary>
    public List<LaneMoment> Read(TimeSpan from, TimeSpan to)
    {
        foreach (var track in _pending)
            Write(track);
        _pending.Clear();
        var (first, last) = (from.Ticks / BinTicks, (to.Ticks - 1) / BinTicks);
        var found = new List<LaneMoment>();
        foreach (var page in _pages.OrderBy(page => page.Lane).ThenBy(page => page.Number))
        {
            var begin = page.Number * BinsOfPage;
            for (var bin = Math.Max(first, begin); bin <= last && bin < begin + BinsOfPage; bin++)
            {
                var shares = page.Shares.AsSpan((int)(bin - begin) * Handlers, Handlers);
                var used = shares.IndexOf(default(LaneShare));
                if (used != 0)
                    found.Add(new LaneMoment(page.Lane, bin, shares[..(used < 0 ? Handlers : used)].ToArray()));
            }
        }

        return found;
    }

    /// <summary>Adds the run time of an attempt that has left its lane.</summary>
    internal void Record(LaneTrack track, ushort handler, long start, long end)
    {
        var bin = track.Bin;
        if (bin.TryAdd(handler, start, end))
            return;
        if (!track.IsBinPending)
        {
            track.IsBinPending = true;
            _pending.Add(track);
        }

        if (end >= bin.End)
            Advance(track, end);
        if (start >= bin.Start)
        {
            bin.Add(handler, end - start);
            return;
        }

        // A result may arrive late, so its end may lie in an earlier bin, too.
        if (end > bin.Start)
            bin.Add(handler, end - bin.Start);
        RecordPast(track.Lane, handler, Math.Max(start, end - (PagesKept * BinsOfPage * BinTicks)), Math.Min(end, bin.Start));
    }

    private void Write(LaneTrack track)
    {
        WriteSums(track);
        track.Bin.Reset(track.Bin.Start);
        track.IsBinPending = false;
    }

    private void Advance(LaneTrack track, long end)
    {
        WriteSums(track);
        track.Bin.Reset(end / BinTicks * BinTicks);
    }

    private void WriteSums(LaneTrack track)
    {
        foreach (var (handler, busy) in track.Bin.Sums)
            Add(track.Lane, track.Bin.Start / BinTicks, handler, busy);
    }

    private void RecordPast(int lane, ushort handler, long start, long end)
    {
        for (var at = start; at < end;)
        {
            var next = Math.Min(end, ((at / BinTicks) + 1) * BinTicks);
            Add(lane, at / BinTicks, handler, next - at);
            at = next;
        }
    }

    private void Add(int lane, long bin, ushort handler, long ticks)
    {
        var shares = PageOf(lane, bin / BinsOfPage).Shares.AsSpan((int)(bin % BinsOfPage) * Handlers, Handlers);
        // A hundredth is a millisecond; what ran, shows.
        var hundredths = (int)Math.Max(1, ticks * 100 / BinTicks);
        var least = 0;
        for (var i = 0; i < shares.Length; i++)
        {
            if (shares[i].Hundredths == 0 || shares[i].Handler == handler)
            {
                shares[i] = new LaneShare(handler, (ushort)Math.Min(ushort.MaxValue, shares[i].Hundredths + hundredths));
                return;
            }

            if (shares[i].Hundredths < shares[least].Hundredths)
                least = i;
        }

        if (shares[least].Hundredths < hundredths)
            shares[least] = new LaneShare(handler, (ushort)Math.Min(ushort.MaxValue, hundredths));
    }

    private Page PageOf(int lane, long number)
    {
        if (_index.TryGetValue((lane, number), out var known))
            return known.Value;
        var newest = _pages.Last?.Value.Number ?? number;
        while (_pages.First is { } oldest && (_pages.Count >= MaxPages || oldest.Value.Number < Math.Max(newest, number) - PagesKept))
        {
            _pages.RemoveFirst();
            _index.Remove((oldest.Value.Lane, oldest.Value.Number));
        }

        var page = new Page(lane, number, new LaneShare[BinsOfPage * Handlers]);
        // A long attempt may need a page of the past, which is to be dropped with those of its time.
        var after = _pages.Last;
        while (after is not null && after.Value.Number > number)
            after = after.Previous;
        var node = after is null ? _pages.AddFirst(page) : _pages.AddAfter(after, page);
        _index.Add((lane, number), node);
        return page;
    }

    private sealed record Page(int Lane, long Number, LaneShare[] Shares);
}
