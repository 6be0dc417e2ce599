namespace Orchestrator.Core.RateLimiters;

/// <summary>
/// A bucket that fills at a steady rate and starts full. One permit is as many units as the period has ticks, and each tick adds as many
/// units as there are permits per period: whole numbers, so that no rounding error accumulates however often it is read.
/// </summary>
internal sealed class TokenBucket(long permits, long period, long burst, long now) : PermitMeter
{
    private readonly Int128 _capacity = (Int128)burst * period;
    private readonly Int128 _rate = permits;
    private Int128 _givenBack;
    private Int128 _level = (Int128)burst * period;
    private long _at = now;

    public override long Available(long now)
    {
        Fill(now);
        return (long)(_level / period);
    }

    public override PermitTicket Take(long permits, long now)
    {
        Fill(now);
        _level -= (Int128)permits * period;
        return new PermitTicket(now, _level - Inflow(now));
    }

    /// <summary>
    /// If the permits had never been taken, the bucket would have been full sooner, and the inflow after that would have been lost. So only
    /// the room that was left at the highest level since then is returned, or two bursts could follow each other. The highest level is not
    /// stored, but it is at most the level at that time plus all later inflow.
    /// </summary>
    public override void GiveBack(long permits, PermitTicket ticket, long now)
    {
        Fill(now);
        var highest = Int128.Min(_capacity, ticket.Mark + Inflow(now));
        var back = Int128.Min((Int128)permits * period, _capacity - highest);
        _level += back;
        _givenBack += back;
    }

    public override long TicksUntil(long permits, long now)
    {
        Fill(now);
        var missing = ((Int128)permits * period) - _level;
        return missing <= 0 ? 0 : (long)Int128.Min(long.MaxValue, (missing + _rate - 1) / _rate);
    }

    /// <summary>The total inflow, from any fixed time on.</summary>
    private Int128 Inflow(long now) => (now * _rate) + _givenBack;

    private void Fill(long now)
    {
        _level = Int128.Min(_capacity, _level + ((now - _at) * _rate));
        _at = now;
    }
}
