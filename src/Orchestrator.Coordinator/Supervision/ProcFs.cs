using System.Globalization;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>What the kernel says of a child, whatever the child says of itself: a worker in any language, or one that is too busy to report.</summary>
internal static class ProcFs
{
    // Counted from behind the name.
    private const int UserTicks = 11;
    private const int SystemTicks = 12;
    private const int StartTime = 19;
    private const int TicksPerSecond = 100;

    /// <summary>Its resident memory in bytes; 0 where it has ended.</summary>
    public static long Resident(int pid) =>
        Read($"/proc/{pid}/statm") is { } text && long.TryParse(text.Split(' ')[1], CultureInfo.InvariantCulture, out var pages) ? pages * Environment.SystemPageSize : 0;

    /// <summary>The processor time that it has taken so far; zero where it has ended.</summary>
    public static TimeSpan ProcessorTime(int pid)
    {
        if (Fields(pid) is not { } fields)
            return TimeSpan.Zero;
        return TimeSpan.FromSeconds((double)(long.Parse(fields[UserTicks], CultureInfo.InvariantCulture) + long.Parse(fields[SystemTicks], CultureInfo.InvariantCulture)) / TicksPerSecond);
    }

    /// <summary>When it was started, in the kernel's ticks since the machine was; null where it has ended.</summary>
    public static string? StartTicks(int pid) => Fields(pid)?[StartTime];

    /// <summary>The fields of <c>/proc/PID/stat</c> behind the name in parentheses, which may hold anything: its state, its parent, and so on.</summary>
    public static string[]? Fields(int pid) => Read($"/proc/{pid}/stat") is { } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It has ended, or there are no file descriptors left just now.
            return null;
        }
    }
}
