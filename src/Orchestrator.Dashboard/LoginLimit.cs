using System.Diagnostics;

namespace Orchestrator.Dashboard;

/// <summary>At most five logins a second: nobody guesses a code of 128 bits, and nobody makes the server hash all day.</summary>
internal sealed class LoginLimit
{
    private const int MostPerSecond = 5;

    private readonly Lock _gate = new();
    private long _second = Stopwatch.GetTimestamp();
    private int _used;

    public bool TryEnter()
    {
        lock (_gate)
        {
            if (Stopwatch.GetElapsedTime(_second) >= TimeSpan.FromSeconds(1))
                (_second, _used) = (Stopwatch.GetTimestamp(), 0);
            return _used++ < MostPerSecond;
        }
    }
}
