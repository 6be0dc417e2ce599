using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orchestrator.TestKit;

/// <summary>The kernel's limits of a running process, changed from outside.</summary>
public static partial class ResourceLimits
{
    /// <summary>Bytes of private writable memory (RLIMIT_DATA).</summary>
    public const int Data = 2;

    /// <summary>One more than the largest file descriptor (RLIMIT_NOFILE).</summary>
    public const int OpenFiles = 7;

    /// <summary>Sets the soft limit and returns what it was.</summary>
    public static ulong Set(int pid, int resource, ulong value)
    {
        if (prlimit(pid, resource, nint.Zero, out var old) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        var changed = new Limit { Soft = value, Hard = old.Hard };
        if (prlimit(pid, resource, ref changed, nint.Zero) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        return old.Soft;
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int prlimit(int pid, int resource, nint none, out Limit old);

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int prlimit(int pid, int resource, ref Limit value, nint none);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
