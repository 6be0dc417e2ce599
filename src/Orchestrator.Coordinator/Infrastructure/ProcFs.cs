using System.Globalization;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// The kernel's data on a child, independent of the child's own reports: for workers in any language, and those too busy to report.
/// </summary>
internal static class ProcFs
{
    // Indices of fields after the name.
    private const int UserTicks = 11;
    private const int SystemTicks = 12;
    private const int StartTime = 19;
    private const int TicksPerSecond = 100;

    /// <summary>The resident memory in bytes; 0 if the process has ended.</summary>
    public static long Resident(int pid) =>
        Read($"/proc/{pid}/statm") is { } text && long.TryParse(text.Split(' ')[1], CultureInfo.InvariantCulture, out var pages)
            ? pages * Environment.SystemPageSize : 0;

    /// <summary>The processor time used so far; zero if the process has ended.</summary>
    public static TimeSpan ProcessorTime(int pid)
    {
        if (Fields(pid) is not { } fields)
            return TimeSpan.Zero;
        return TimeSpan.FromSeconds((double)(long.Parse(fields[UserTicks], CultureInfo.InvariantCulture) + long.Parse(
            fields[SystemTicks], CultureInfo.InvariantCulture)) / TicksPerSecond);
    }

    /// <summary>The start time, in kernel ticks since the boot; null if the process has ended.</summary>
    public static string? StartTicks(int pid) => Fields(pid)?[StartTime];

    /// <summary>
    /// The fields of <c>/proc/PID/stat</c> after the name in parentheses, which may hold any characters: its state, its parent, and so on.
    /// </summary>
    public static string[]? Fields(int pid) =>
        Read($"/proc/{pid}/stat") is { } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The process has ended, or no file descriptor is free at the moment.
            return null;
        }
    }
}
