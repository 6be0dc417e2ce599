namespace Orchestrator.TestKit;

/// <summary>The scheduling state of a process.</summary>
public static class ProcessState
{
    /// <summary>Waits until the kernel reports the state: <c>T</c> is stopped.</summary>
    public static async Task WaitAsync(int pid, char state)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!File.ReadLines($"/proc/{pid}/status").Any(line => line.StartsWith($"State:\t{state}", StringComparison.Ordinal)))
            await tick.WaitForNextTickAsync(limit.Token);
    }
}
