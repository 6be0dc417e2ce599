using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Hosting;

/// <summary>Keeps a worker from outliving its coordinator, and from leaving traces. Linux only; elsewhere it does nothing.</summary>
internal static partial class ParentProcess
{
    private const int SetParentDeathSignal = 1;
    private const int SigKill = 9;
    private const int CoreDumpLimit = 4;
    private const uint OwnerOnly = 0x3F; // octal 077
    private const string OomScore = "500";

    /// <summary>
    /// Makes the kernel kill this process when its parent dies. To be called on the main thread: the request belongs to the calling thread
    /// and ends with it.
    /// </summary>
    public static void DieWithParent()
    {
        if (OperatingSystem.IsLinux())
            _ = Prctl(SetParentDeathSignal, SigKill, 0, 0, 0);
    }

    /// <summary>
    /// False if the parent died before <see cref="DieWithParent"/> took effect: the process then has another parent.
    /// </summary>
    public static bool Is(int pid) => !OperatingSystem.IsLinux() || GetParentId() == pid;

    public static void Harden()
    {
        if (!OperatingSystem.IsLinux())
            return;
        _ = Umask(OwnerOnly);
        var none = default(ResourceLimit);
        _ = SetResourceLimit(CoreDumpLimit, in none);
        try
        {
            // When memory runs out, the kernel should kill a worker, which can be replaced, and not the coordinator.
            File.WriteAllText("/proc/self/oom_score_adj", OomScore);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Best effort: some sandboxes forbid it.
        }
    }

    /// <summary>Ends the process without exit handlers, which could wait for the coordinator that has ended.</summary>
    public static void ExitNow(int code) => ExitProcess(code);

    public static uint UserId() => GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentId();

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint Umask(uint mask);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitProcess(int code);

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public nuint Soft;
        public nuint Hard;
    }
}
