namespace Orchestrator.TestKit;

/// <summary>Waits for a condition.</summary>
public static class Waits
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>Polls until the condition holds. Each poll is a call to another process, so that the loop does not spin.</summary>
    /// <exception cref="TimeoutException">The condition did not hold within a minute.</exception>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        ArgumentNullException.ThrowIfNull(isSo);
        using var limit = new CancellationTokenSource(s_limit);
        while (!await isSo())
        {
            if (limit.IsCancellationRequested)
                throw new TimeoutException($"it was not so within {s_limit.TotalSeconds:0} s");
        }
    }
}
