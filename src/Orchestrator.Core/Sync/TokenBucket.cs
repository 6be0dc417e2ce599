namespace Orchestrator.Core.Sync;

/// <summary>
/// A bucket that fills at a steady rate and starts full. One permit is as many drops as the period has ticks, and each tick brings as many drops as
/// there are permits per period: whole numbers, so that no rounding adds up however often it is asked.
/// </summary>
internal sealed class TokenBucket(long permits, long period, long burst, long now) : PermitMeter
{
    private readonly Int128 _capacity = (Int128)burst * period;
    private readonly Int128 _rate = permits;
    private Int128 _level = (Int128)burst * period;
    private long _at = now;

    public override long Available(long now)
    {
        Fill(now);
        return (long)(_level / period);
    }

    public override void Take(long permits, long now)
    {
        Fill(now);
        _level -= (Int128)permits * period;
    }

    public override void GiveBack(long permits, long takenAt, long now)
    {
        Fill(now);
        _level = Int128.Min(_capacity, _level + ((Int128)permits * period));
    }

    public override long TicksUntil(long permits, long now)
    {
        Fill(now);
        var missing = ((Int128)permits * period) - _level;
        return missing <= 0 ? 0 : (long)Int128.Min(long.MaxValue, (missing + _rate - 1) / _rate);
    }

    private void Fill(long now)
    {
        _level = Int128.Min(_capacity, _level + ((now - _at) * _rate));
        _at = now;
    }
}
