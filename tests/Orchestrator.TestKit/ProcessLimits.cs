using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orchestrator.TestKit;

/// <summary>Limits of another process, set while it runs (<c>prlimit(2)</c>).</summary>
public static partial class ProcessLimits
{
    private const int FileSize = 1;

    /// <summary>
    /// From now on no file of the process grows beyond so many bytes: writes fail with EFBIG, as on a full disk. Coordinators of this kit ignore the signal that comes
    /// with it.
    /// </summary>
    public static void SetFileSize(int pid, ulong bytes)
    {
        var limit = new Limit { Soft = bytes, Hard = ulong.MaxValue };
        if (PrLimit(pid, FileSize, ref limit, 0) != 0)
            throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int PrLimit(int pid, int resource, ref Limit limit, nint old);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
