namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Whether tasks of several fairness keys (by default, clients) were taken from a queue lately. Then lanes hold less, since a task that is
/// next in the fair order still waits behind all that its lane holds.
/// </summary>
internal sealed class KeyMix
{
    // A client that sends one task at a time has none in the queue most of the time.
    private const long MixedForTicks = TimeSpan.TicksPerSecond;

    private string? _last;
    private long _changedAt = -MixedForTicks;

    /// <summary>Whether there were several at this time, in ticks.</summary>
    public bool IsMixed(long now) => now - _changedAt < MixedForTicks;

    /// <summary>A task of this key is taken.</summary>
    public void OnTaken(string key, long now)
    {
        if (key == _last)
            return;
        if (_last is not null)
            _changedAt = now;
        _last = key;
    }
}
