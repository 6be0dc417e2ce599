using System.Globalization;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// As process 1, of a container without an init, the coordinator inherits whatever its workers' own children leave behind; somebody has to take their exit
/// codes, or each stays in the process table for ever. Elsewhere an init does it, and this does nothing.
/// </summary>
internal static unsafe class OrphanReaper
{
    private const int NoHang = 1;

    /// <summary>Whether this process is the one who has to.</summary>
    public static bool IsNeeded { get; } = Environment.ProcessId == 1;

    /// <summary>Takes the exit codes of children that have ended and are nobody's.</summary>
    /// <param name="isOwn">Whether a child has somebody who waits for its end, and needs to be told how it was.</param>
    /// <returns>How many there were.</returns>
    public static int Reap(Func<int, bool> isOwn)
    {
        var reaped = 0;
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), CultureInfo.InvariantCulture, out var pid) && IsEndedChild(pid) && !isOwn(pid)
                && NativeMethods.wait4(pid, null, NoHang, null) == pid)
                reaped++;
        }

        return reaped;
    }

    private static bool IsEndedChild(int pid) =>
        ProcFs.Fields(pid) is [var state, var parent, ..] && state == "Z" && parent == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
}
