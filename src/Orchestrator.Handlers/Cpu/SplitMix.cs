namespace Orchestrator.Handlers.Cpu;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood 2014): equal seeds give equal numbers on every machine and runtime, which
/// <see cref="Random"/> does not promise.
/// </summary>
internal struct SplitMix(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>In [0, 1): the upper 53 bits, as many as a double holds.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));
}
