using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orchestrator.TestKit;

/// <summary>Limits of another process, set while it runs (<c>prlimit(2)</c>).</summary>
public static partial class ProcessLimits
{
    private const int FileSize = 1;
    private const int Data = 2;

    /// <summary>
    /// From now on no file of the process grows beyond this many bytes: writes fail with EFBIG, as on a full disk. Coordinators of this kit
    /// ignore the signal that comes with it.
    /// </summary>
    public static void SetFileSize(int pid, ulong bytes)
    {
        var limit = new Limit { Soft = bytes, Hard = ulong.MaxValue };
        if (PrLimit(pid, FileSize, ref limit, 0) != 0)
            throw new Win32Exception();
    }

    /// <summary>
    /// From now on the process gets at most this many bytes of private writable memory in all; returns the previous limit.
    /// </summary>
    public static ulong SetData(int pid, ulong bytes) => SetSoft(pid, Data, bytes);

    private static ulong SetSoft(int pid, int resource, ulong value)
    {
        if (GetLimit(pid, resource, 0, out var old) != 0)
            throw new Win32Exception();
        var limit = new Limit { Soft = value, Hard = old.Hard };
        if (PrLimit(pid, resource, ref limit, 0) != 0)
            throw new Win32Exception();
        return old.Soft;
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int PrLimit(int pid, int resource, ref Limit limit, nint old);

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int GetLimit(int pid, int resource, nint none, out Limit old);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
