using System.Globalization;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// As process 1 of a container without an init, the coordinator inherits the orphans of its workers and must reap them, or each stays in
/// the process table forever. Elsewhere an init does that, and this class does nothing.
/// </summary>
internal static unsafe class OrphanReaper
{
    private const int NoHang = 1;

    /// <summary>Whether this process must reap orphans.</summary>
    public static bool IsNeeded { get; } = Environment.ProcessId == 1;

    /// <summary>Reaps ended children that have no owner in this process.</summary>
    /// <param name="isOwn">Whether a child has a waiter that needs its exit status.</param>
    /// <returns>The number of reaped children.</returns>
    public static int Reap(Func<int, bool> isOwn)
    {
        var reaped = 0;
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), CultureInfo.InvariantCulture, out var pid) && IsEndedChild(pid)
                && !isOwn(pid)
                && NativeMethods.wait4(pid, null, NoHang, null) == pid)
                reaped++;
        }

        return reaped;
    }

    private static bool IsEndedChild(int pid) =>
        ProcFs.Fields(pid) is [var state, var parent, ..] && state == "Z"
            && parent == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
}
