namespace Orchestrator.Core.RateLimiters;

/// <summary>
/// Counts the permits of the last period: a taken permit is available again exactly one period later. Never more than the permits in any
/// span of one period, wherever it begins.
/// </summary>
/// <remarks>
/// The permits taken in one slot of time are one entry. A slot is a tick if there are at most <see cref="MaxSlots"/> permits, and then the
/// count is exact; otherwise it is a <see cref="MaxSlots"/>th of the period, and all its permits count as taken at its end: permits return
/// up to a slot late, never early, and memory is bounded.
/// </remarks>
internal sealed class SlidingWindow(long permits, long period) : PermitMeter
{
    private const int MaxSlots = 1024;

    private readonly long _slot = permits <= MaxSlots ? 1 : (period + MaxSlots - 1) / MaxSlots;
    private Entry[] _ring = new Entry[4];
    private int _first;
    private int _count;
    private long _used;

    /// <summary>How many slots it remembers.</summary>
    public int Slots => _count;

    public override long Available(long now)
    {
        Expire(now);
        return permits - _used;
    }

    public override PermitTicket Take(long permits, long now)
    {
        Expire(now);
        var at = SlotOf(now);
        _used += permits;
        if (_count > 0 && At(_count - 1).Time == at)
        {
            At(_count - 1).Permits += permits;
            return new PermitTicket(now, 0);
        }

        if (_count == _ring.Length)
            Grow();
        _count++;
        At(_count - 1) = new Entry(at, permits);
        return new PermitTicket(now, 0);
    }

    public override void GiveBack(long permits, PermitTicket ticket, long now)
    {
        Expire(now);
        for (var i = _count - 1; i >= 0; i--)
        {
            if (At(i).Time != SlotOf(ticket.At))
                continue;
            At(i).Permits -= permits;
            _used -= permits;
            return;
        }
    }

    public override long TicksUntil(long permits, long now)
    {
        Expire(now);
        // The permits take turns: free permits and those that return first are taken first, and then again once per period.
        var (rounds, turn) = Math.DivRem(permits - 1, Total);
        var wait = (Int128)rounds * period;
        var behind = turn - (Total - _used);
        for (var i = 0; behind >= 0 && i < _count; i++)
        {
            behind -= At(i).Permits;
            if (behind < 0)
                wait += At(i).Time + period - now;
        }

        return (long)Int128.Min(long.MaxValue, wait);
    }

    private long Total => permits;

    private long SlotOf(long time) => (time + _slot - 1) / _slot * _slot;

    private ref Entry At(int index) => ref _ring[(_first + index) % _ring.Length];

    private void Expire(long now)
    {
        while (_count > 0 && At(0).Time + period <= now)
        {
            _used -= At(0).Permits;
            _first = (_first + 1) % _ring.Length;
            _count--;
        }
    }

    private void Grow()
    {
        var larger = new Entry[_ring.Length * 2];
        for (var i = 0; i < _count; i++)
            larger[i] = At(i);
        (_ring, _first) = (larger, 0);
    }

    private record struct Entry(long Time, long Permits);
}
