using System.Globalization;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Service;

/// <summary>Reads the process's own metrics from <c>/proc/self/stat</c>: one small read per heartbeat.</summary>
internal sealed class ProcessMetrics(TimeProvider time)
{
    // Fields of proc_pid_stat(5), counted from 0 after the command's closing parenthesis.
    private const int UserTicks = 11;
    private const int SystemTicks = 12;
    private const int ThreadCount = 17;
    private const int ResidentPages = 21;

    // The kernel's USER_HZ is 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    private long _lastStamp = time.GetTimestamp();
    private long _lastTicks = -1;

    public Vitals Read(int running, int waiting)
    {
        var vitals = new Vitals { Running = running, Waiting = waiting };
        try
        {
            var text = File.ReadAllText("/proc/self/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = Parse(fields[UserTicks]) + Parse(fields[SystemTicks]);
            var seconds = time.GetElapsedTime(_lastStamp).TotalSeconds;
            if (_lastTicks >= 0 && seconds > 0)
                vitals.CpuPercent = 100 * (ticks - _lastTicks) / TicksPerSecond / seconds;
            _lastTicks = ticks;
            _lastStamp = time.GetTimestamp();
            vitals.Threads = (int)Parse(fields[ThreadCount]);
            vitals.RssBytes = (ulong)(Parse(fields[ResidentPages]) * Environment.SystemPageSize);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // Out of file descriptors, for example: the heartbeat itself matters more than its metrics.
        }

        return vitals;
    }

    private static long Parse(string field) => long.Parse(field, CultureInfo.InvariantCulture);
}
