using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Cli.Common;

/// <summary>
/// Preconditions checked before the parser is loaded: enough file descriptors to load it, and standard streams opened by the caller. If the
/// caller closes them, the next files opened get their numbers, and printed text would be written there: to the runtime's own pipes, or a
/// database.
/// </summary>
internal static unsafe partial class StartConditions
{
    // With fewer descriptors the runtime cannot load the program and prints a stack trace.
    private const ulong FilesOfServe = 200;
    private const ulong FilesOfOthers = 100;

    private const int OpenFiles = 7;
    private const int GetStatusFlags = 3;
    private const int AccessMode = 3;
    private const int ReadOnly = 0;
    private const int ReadWrite = 2;

    /// <summary>Repairs the standard streams; false if the process cannot run, which it has reported.</summary>
    public static bool Meet(string verb)
    {
        MendStreams();
        var limits = stackalloc ulong[2];
        var needed = verb == "serve" ? FilesOfServe : FilesOfOthers;
        // At startup the runtime raised the soft limit to the hard limit.
        if (GetLimit(OpenFiles, limits) != 0 || limits[0] >= needed)
            return true;
        Say($"orchestrator: this process may open {limits[0]} files, and at least {needed} are needed; raise the limit (ulimit -n, " +
            "LimitNOFILE in a systemd unit)\n");
        return false;
    }

    private static void MendStreams()
    {
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            // The kernel assigns the lowest free number, which is this descriptor.
            if (Control(descriptor, GetStatusFlags) < 0)
                _ = Open("/dev/null", ReadWrite);
        }

        if (!IsCallers(1))
            Console.SetOut(TextWriter.Null);
        if (!IsCallers(2))
            Console.SetError(TextWriter.Null);
    }

    /// <summary>Whether output to this descriptor reaches the caller, and not this process itself.</summary>
    private static bool IsCallers(int descriptor)
    {
        if ((Control(descriptor, GetStatusFlags) & AccessMode) == ReadOnly)
            return false;
        try
        {
            var target = TargetOf(descriptor);
            if (target.StartsWith("anon_inode:", StringComparison.Ordinal) || target.StartsWith("/memfd:", StringComparison.Ordinal))
                return false;
            // A pipe with both ends in this process was created by the runtime.
            return !target.StartsWith("pipe:", StringComparison.Ordinal)
                || !Directory.EnumerateFileSystemEntries("/proc/self/fd").Any(path =>
                int.TryParse(Path.GetFileName(path), out var other) && other != descriptor
                    && (Control(other, GetStatusFlags) & AccessMode) == ReadOnly && TargetOf(other) == target);
        }
        catch (IOException)
        {
            // No /proc, or no free descriptor to read it.
            return true;
        }
    }

    private static string TargetOf(int descriptor) => new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget ?? "";

    // Bypasses the console, which would open descriptors.
    private static void Say(string text)
    {
        using var error = new SafeFileHandle(2, ownsHandle: false);
        fixed (byte* bytes = Encoding.UTF8.GetBytes(text))
            _ = Write(error, bytes, (nuint)Encoding.UTF8.GetByteCount(text));
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, ulong* limits);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(SafeFileHandle file, byte* bytes, nuint count);
}
