using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Output;

/// <summary>Whether the shell runs this process in the foreground or background of its terminal.</summary>
internal static partial class JobControl
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    /// <summary>False only if another job of the same terminal is in the foreground; true without a controlling terminal.</summary>
    public static bool IsInForeground => IsInFrontOf(StandardOutput) && IsInFrontOf(StandardError);

    private static bool IsInFrontOf(int descriptor) =>
        GetForegroundGroup(descriptor) is var front && (front < 0 || front == GetProcessGroup());

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int GetForegroundGroup(int descriptor);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int GetProcessGroup();
}
