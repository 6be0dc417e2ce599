using System.Globalization;

namespace Orchestrator.TestKit.Load;

/// <summary>A process's resources now, as the kernel reports them.</summary>
/// <param name="Handles">Open file descriptors.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Bytes">Resident memory.</param>
/// <param name="Children">Processes of its family, itself included.</param>
public sealed record ProcessUsage(int Handles, int Threads, long Bytes, int Children)
{
    /// <summary>Of a coordinator.</summary>
    public static ProcessUsage Of(CoordinatorProcess coordinator)
    {
        var status = File.ReadAllLines($"/proc/{coordinator.Pid}/status");
        return new ProcessUsage(
            Directory.GetFiles($"/proc/{coordinator.Pid}/fd").Length, (int)Number("Threads:"), Number("VmRSS:") * 1024,
            coordinator.Family().Count);

        long Number(string name) => long.Parse(
            status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(
                [' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Waits until usage is back at the earlier level, within these margins, and otherwise reports what grew: closed resources are freed
    /// with a delay.
    /// </summary>
    public static async Task<ProcessUsage> WaitUntilFlatAsync(CoordinatorProcess coordinator, ProcessUsage before, int handles = 12,
        int threads = 12, long bytes = 100_000_000, TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(30));
        // Each look makes no call, so that it does not keep the coordinator from being idle.
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (true)
        {
            var now = Of(coordinator);
            if (now.Handles <= before.Handles + handles && now.Threads <= before.Threads + threads && now.Bytes <= before.Bytes + bytes
                && now.Children <= before.Children)
                return now;
            if (limit.IsCancellationRequested)
                throw new InvalidOperationException(
                    $"it holds {now}, and before it held {before}; {handles} handles, {threads} threads and {bytes / 1_000_000} MB more " +
                    "are allowed");
            await tick.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Handles} handles, {Threads} threads, {Bytes / 1_000_000} MB, {Children} processes");
}
