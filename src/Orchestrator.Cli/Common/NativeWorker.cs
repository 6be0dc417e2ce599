using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Common;

/// <summary>
/// The command's own workers as native code: a program that the tool's package holds for the kind of machine on which it was made. It
/// starts in a tenth of the time, and takes a third of the memory.
/// </summary>
internal static class NativeWorker
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Where it lies if there is one for this kind of machine.</summary>
    public static string Path { get; } =
        System.IO.Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeId, "native", "orchestrator-worker");

    /// <summary>Whether there is one.</summary>
    public static bool Exists => File.Exists(Path);

    // Not the runtime's own name: a distribution that builds it itself puts the distribution's name there.
    private static string RuntimeId =>
        (RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal)
            || RuntimeInformation.RuntimeIdentifier.StartsWith("alpine", StringComparison.Ordinal) ? "linux-musl-" : "linux-")
        + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    /// <summary>
    /// Why it cannot be used; null if it can. It is started for this, since the C library of an older system may lack what it needs: its
    /// workers would end before they begin.
    /// </summary>
    public static string? Fault()
    {
        if (!Exists)
            return $"there is none at {Path}; the tool's package has one for the kind of machine that it was made on";
        if (!IsExecutable())
            return $"{Path} is not executable";
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(Path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                return $"{Path} does not answer";
            }

            // It has ended, and the pipes hold what it has written.
            var version = process.StandardOutput.ReadToEnd().Trim();
            if (process.ExitCode != 0)
                return $"{Path} does not run here: {VisibleText.Line(process.StandardError.ReadToEnd().Trim())}";
            return version == OwnVersion ? null : $"{Path} is of version {VisibleText.Line(version)}, and this command of {OwnVersion}";
        }
        catch (Win32Exception exception)
        {
            return $"{Path} does not start: {exception.Message}";
        }
    }

    private static string OwnVersion => typeof(NativeWorker).Assembly.GetName().Version?.ToString(3) ?? "0";

    // Packages do not keep the permissions of their files.
    private static bool IsExecutable()
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        var mode = File.GetUnixFileMode(Path);
        if ((mode & Execute) != 0)
            return true;
        try
        {
            File.SetUnixFileMode(Path, mode | Execute);
            return true;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return false;
        }
    }
}
