using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// Features that the framework's Process class lacks for a supervisor: a process group per child, the exact signal and resource use of its
/// end, and pinning to a core from its first instruction.
/// </summary>
internal static unsafe partial class NativeMethods
{
    public const int SigTerm = 15;
    public const int SigKill = 9;
    public const int SigContinue = 18;
    public const int SigStop = 19;
    public const int ByPid = 1;
    public const int WaitExited = 4;
    public const int WaitNoReap = 0x1000000;
    public const int OCloExec = 0x80000;
    public const short SpawnSetProcessGroup = 0x02;
    public const short SpawnSetSignalDefaults = 0x04;
    public const short SpawnSetSignalMask = 0x08;
    public const int PriorityOfProcessGroup = 1;
    public const int ResourceCore = 4;
    public const int Interrupted = 4;

    public const int CurrentDirectory = -100;
    public const uint BasicStats = 0x7ff;

    private const short PollIn = 1;
    private const short PollHangUp = 16;
    private const nuint BytesToRead = 0x541B;

    private const int TryAgain = 11;
    private const int OutOfMemory = 12;
    private const int TooManyFilesInSystem = 23;
    private const int TooManyFiles = 24;
    private const int FileTooLarge = 27;
    private const int NoSpaceLeft = 28;
    private const int QuotaExceeded = 122;

    /// <summary>Whether an error number means a temporary shortage of a resource.</summary>
    public static bool IsShortage(int error) =>
        error is TryAgain or OutOfMemory or TooManyFilesInSystem or TooManyFiles or FileTooLarge or NoSpaceLeft or QuotaExceeded;

    /// <summary>Waits until there is data to read or the peer has closed; false if the descriptor is unusable.</summary>
    public static bool WaitUntilReadable(SafeFileHandle file)
    {
        var entry = new PollEntry { Descriptor = (int)file.DangerousGetHandle(), Wanted = PollIn };
        while (poll(&entry, 1, -1) < 0)
        {
            if (Marshal.GetLastPInvokeError() != Interrupted)
                return false;
        }

        return (entry.Found & (PollIn | PollHangUp)) != 0;
    }

    /// <summary>Whether the peer has closed and everything has been read.</summary>
    public static bool IsAtEnd(SafeFileHandle file)
    {
        var entry = new PollEntry { Descriptor = (int)file.DangerousGetHandle(), Wanted = PollIn };
        return poll(&entry, 1, 0) > 0 && (entry.Found & PollIn) == 0;
    }

    /// <summary>The bytes that can be read without waiting.</summary>
    public static int Readable(SafeFileHandle file)
    {
        int count;
        return ioctl(file, BytesToRead, &count) == 0 ? count : 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(SafeFileHandle file, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, int* value);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(int* fds, int flags);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(void* actions, int from, int to);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setpgroup(void* attributes, int group);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(void* attributes, void* signals);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_destroy(void* attributes);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawnp(int* pid, string file, void* actions, void* attributes, byte** argv, byte** envp);

    [LibraryImport("libc")]
    public static partial int sigemptyset(void* set);

    [LibraryImport("libc")]
    public static partial int sigfillset(void* set);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int wait4(int pid, int* status, int options, ResourceUsage* usage);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitid(int type, int id, void* info, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setpriority(int which, int who, int priority);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_getaffinity(int pid, nint size, ulong* mask);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_setaffinity(int pid, nint size, ulong* mask);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int prlimit(int pid, int resource, ulong* newLimit, ulong* oldLimit);

    /// <summary>Returns the error number itself.</summary>
    [LibraryImport("libc")]
    public static partial int posix_fallocate(SafeFileHandle file, long offset, long length);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fdatasync(SafeFileHandle file);

    /// <summary>Fills a buffer of at least 256 bytes: <c>struct statx</c>, the same on every architecture.</summary>
    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc")]
    public static partial uint umask(uint mask);

    [LibraryImport("libc")]
    public static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getpgid(int pid);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }

    /// <summary><c>struct rusage</c> of 64-bit Linux; times in seconds and microseconds, memory in KiB.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ResourceUsage
    {
        public long UserSeconds;
        public long UserMicroseconds;
        public long SystemSeconds;
        public long SystemMicroseconds;
        public long MaxResidentKilobytes;
        private fixed long _rest[13];
    }
}
