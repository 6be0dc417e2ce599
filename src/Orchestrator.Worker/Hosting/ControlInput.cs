using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Hosting;

/// <summary>
/// The standard input that the coordinator writes to, kept away from user code: it moves to another descriptor, which children do not
/// inherit, and descriptor 0 reads <c>/dev/null</c> from then on. A handler that reads its input, or starts a program that does, gets the
/// end of the file at once instead of waiting forever on the coordinator's pipe, or consuming its data.
/// </summary>
internal static partial class ControlInput
{
    private const int DuplicateCloseOnExec = 1030;
    private const int FirstFree = 10;

    public static Stream Take()
    {
        if (!OperatingSystem.IsLinux())
            return Console.OpenStandardInput();
        var moved = Control(0, DuplicateCloseOnExec, FirstFree);
        if (moved < 0)
            return Console.OpenStandardInput();
        using (var nothing = File.OpenHandle("/dev/null"))
            _ = Duplicate(nothing, 0);
        return new FileStream(new SafeFileHandle(moved, ownsHandle: true), FileAccess.Read, bufferSize: 0);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(SafeFileHandle from, int to);
}
