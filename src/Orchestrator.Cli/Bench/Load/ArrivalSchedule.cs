using System.Diagnostics;
using System.Runtime.InteropServices;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>
/// The start times of an open loop's operations: a Poisson process, drawn beforehand from a seed. Latency counts from
/// these instants, whether or not the sender keeps up, so a stall is charged to every operation that it delays
/// (no coordinated omission).
/// </summary>
internal sealed class ArrivalSchedule
{
    // 400 MB of instants; split a longer run into parts.
    private const long Most = 50_000_000;

    private readonly long[] _offsets;

    public ArrivalSchedule(double rate, RoundPlan plan, int seed)
    {
        var expected = plan.Count > 0 ? plan.Count : (long)(rate * plan.Duration.TotalSeconds * 1.1) + 1_000;
        if (expected > Most)
            throw new UsageException($"An open loop of about {expected:N0} operations is too long; the most is {Most:N0}.");
        var random = new Random(seed);
        var offsets = new List<long>((int)expected);
        var at = 0.0;
        while (plan.Count > 0 ? offsets.Count < plan.Count : at < plan.Duration.TotalSeconds)
        {
            offsets.Add((long)(at * Stopwatch.Frequency));
            at -= Math.Log(1 - random.NextDouble()) / rate;
        }

        _offsets = [.. offsets];
        OfferedRate = _offsets.Length / Math.Max(at, 1e-9);
    }

    public int Count => _offsets.Length;

    public double OfferedRate { get; }

    /// <summary>The offset of one start from the first, in <see cref="Stopwatch"/> ticks.</summary>
    public long this[int index] => _offsets[index];

    /// <summary>
    /// Calls <paramref name="send"/> with each range of starts that is due, on a dedicated thread: thread-pool timers
    /// have a resolution of a millisecond, and are late when the pool is busy.
    /// </summary>
    public Task PlayAsync(long begin, Action<int, int> send, CancellationToken token)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                Play(begin, send, token);
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        })
        {
            Name = "bench arrivals",
            IsBackground = true,
        };
        thread.Start();
        return done.Task;
    }

    private void Play(long begin, Action<int, int> send, CancellationToken token)
    {
        if (OperatingSystem.IsLinux())
            _ = SetTimerSlack(TimerSlackOption, 1, 0, 0, 0);
        for (var next = 0; next < _offsets.Length;)
        {
            token.ThrowIfCancellationRequested();
            var now = Stopwatch.GetTimestamp() - begin;
            var end = next;
            while (end < _offsets.Length && _offsets[end] <= now)
                end++;
            if (end > next)
                send(next, end);
            else
                Pause(_offsets[next] - now);
            next = end;
        }
    }

    private static void Pause(long ticks)
    {
        // At most a tenth of a second, so that a cancellation is noticed.
        var nanoseconds = Math.Min((long)(ticks * (1e9 / Stopwatch.Frequency)), 100_000_000);
        var time = new TimeSpec { Nanoseconds = nanoseconds };
        _ = NanoSleep(ref time, IntPtr.Zero);
    }

    // PR_SET_TIMERSLACK: without it the kernel may wake the thread 50 µs late to save power.
    private const int TimerSlackOption = 29;

    [DllImport("libc", EntryPoint = "prctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetTimerSlack(int option, nuint value, nuint unused3, nuint unused4, nuint unused5);

    [DllImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NanoSleep(ref TimeSpec request, IntPtr remaining);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
