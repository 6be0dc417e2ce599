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

    private const string Deleted = " (deleted)";

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
    /// Whether a debugger is attached: one that traces the process, as gdb and strace do, or one of .NET, to which the runtime opens the
    /// pipes that it otherwise only offers.
    /// </summary>
    public static bool IsDebugged(int pid) => IsTraced(pid) || HasOpen(pid, $"/clr-debug-pipe-{pid}-");

    /// <summary>
    /// The fields of <c>/proc/PID/stat</c> after the name in parentheses, which may hold any characters: its state, its parent, and so on.
    /// </summary>
    public static string[]? Fields(int pid) =>
        Read($"/proc/{pid}/stat") is { } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    private static bool IsTraced(int pid)
    {
        const string Tracer = "\nTracerPid:\t";
        var status = Read($"/proc/{pid}/status") ?? "";
        var at = status.IndexOf(Tracer, StringComparison.Ordinal);
        return at >= 0 && status[at + Tracer.Length] != '0';
    }

    // The runtime removes the pipes of a debugger that has left, offers new ones, and never closes the old.
    private static bool HasOpen(int pid, string name)
    {
        try
        {
            return new DirectoryInfo($"/proc/{pid}/fd").EnumerateFileSystemInfos().Any(
                file => file.LinkTarget is { } target && target.Contains(name, StringComparison.Ordinal)
                    && !target.EndsWith(Deleted, StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The process has ended, or a descriptor was closed meanwhile.
            return false;
        }
    }

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
