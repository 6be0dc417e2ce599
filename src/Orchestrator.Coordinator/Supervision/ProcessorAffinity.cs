using System.Globalization;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>The processors that threads may run on, as the kernel's bit masks.</summary>
internal static unsafe class ProcessorAffinity
{
    private const int Words = 16;

    /// <summary>The processors that this process may use, in order.</summary>
    public static IReadOnlyList<int> AllowedCores()
    {
        var mask = stackalloc ulong[Words];
        if (NativeMethods.sched_getaffinity(0, Words * sizeof(ulong), mask) < 0)
            return [.. Enumerable.Range(0, Environment.ProcessorCount)];
        var cores = new List<int>();
        for (var core = 0; core < Words * 64; core++)
        {
            if ((mask[core / 64] & (1UL << (core % 64))) != 0)
                cores.Add(core);
        }

        return cores;
    }

    /// <summary>Restricts the calling thread, and what it spawns, to these processors.</summary>
    public static bool SetForThisThread(IReadOnlyList<int> cores) => Set(0, cores);

    /// <summary>Restricts all current threads of a process; later threads inherit the affinity.</summary>
    public static void SetForProcess(int pid, int core)
    {
        try
        {
            foreach (var task in Directory.EnumerateDirectories($"/proc/{pid}/task"))
            {
                if (int.TryParse(Path.GetFileName(task), NumberStyles.None, CultureInfo.InvariantCulture, out var thread))
                    Set(thread, [core]);
            }
        }
        catch (IOException)
        {
            // The process has just ended: there is nothing to pin.
        }
    }

    private static bool Set(int thread, IReadOnlyList<int> cores)
    {
        var mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        foreach (var core in cores)
            mask[core / 64] |= 1UL << (core % 64);
        return NativeMethods.sched_setaffinity(thread, Words * sizeof(ulong), mask) == 0;
    }
}
