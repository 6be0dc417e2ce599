namespace Orchestrator.TestKit;

/// <summary>Waits for what is to become true.</summary>
public static class Waits
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>Asks again until it is so. Each question is a call to another process, so that the loop does not spin.</summary>
    /// <exception cref="TimeoutException">It was not so within a minute.</exception>
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
