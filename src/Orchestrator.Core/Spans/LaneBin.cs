namespace Orchestrator.Core.Spans;

/// <summary>Sums the run times of one lane in the bin of its history that is being filled.</summary>
internal sealed class LaneBin
{
    private readonly (ushort Handler, long Busy)[] _sums = new (ushort, long)[LaneHistory.Handlers];
    private int _used;

    /// <summary>When the bin began, in ticks; the run time that lies before it belongs to earlier bins.</summary>
    public long Start { get; private set; } = long.MinValue;

    public long End { get; private set; } = long.MinValue;

    public ReadOnlySpan<(ushort Handler, long Busy)> Sums => _sums.AsSpan(0, _used);

    /// <summary>Begins another bin.</summary>
    public void Reset(long start)
    {
        (Start, End) = (start, start + LaneHistory.BinTicks);
        _used = 0;
    }

    /// <summary>Adds run time that lies within the bin, if its first handler ran: nearly always, when there is much to add.</summary>
    public bool TryAdd(ushort handler, long start, long end)
    {
        if (_used == 0 || _sums[0].Handler != handler || start < Start || end >= End)
            return false;
        _sums[0].Busy += end - start;
        return true;
    }

    /// <summary>Adds run time of a handler; beyond the handlers that fit, the one that has least gives way.</summary>
    public void Add(ushort handler, long ticks)
    {
        for (var i = 0; i < _used; i++)
        {
            ref var sum = ref _sums[i];
            if (sum.Handler == handler)
            {
                sum.Busy += ticks;
                return;
            }
        }

        if (_used < _sums.Length)
        {
            _sums[_used++] = (handler, ticks);
            return;
        }

        var least = 0;
        for (var i = 1; i < _used; i++)
        {
            if (_sums[i].Busy < _sums[least].Busy)
                least = i;
        }

        if (_sums[least].Busy < ticks)
            _sums[least] = (handler, ticks);
    }
}
