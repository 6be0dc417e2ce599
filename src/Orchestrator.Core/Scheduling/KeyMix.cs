namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Whether tasks of several fairness keys (by default, clients) were taken from a queue lately. Then lanes hold less, since a task that is
/// next in the fair order still waits behind all that its lane holds.
/// </summary>
internal sealed class KeyMix
{
    // A client that sends one task at a time has none in the queue most of the time.
    private const long MixedForTicks = TimeSpan.TicksPerSecond;

    // A client that dominates: what another sends between its tasks is the exception.
    private const int LongRun = 16;

    private string? _last;
    private int _run;
    private long _changedAt = -MixedForTicks;

    /// <summary>Whether there were several at this time, in ticks.</summary>
    public bool IsMixed(long now) => now - _changedAt < MixedForTicks;

    /// <summary>Whether a task of this key comes after many of one other key.</summary>
    public bool Interrupts(string key) => _run >= LongRun && key != _last;

    /// <summary>A task of this key is taken.</summary>
    public void OnTaken(string key, long now)
    {
        if (key == _last)
        {
            _run++;
            return;
        }

        _run = 1;
        if (_last is not null)
            _changedAt = now;
        _last = key;
    }
}
