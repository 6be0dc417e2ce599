using System.Globalization;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// Removes the files that a killed worker's .NET runtime leaves in the temporary directory: the diagnostics socket (dotnet-trace and
/// others) and the debugger's pipes. Their names contain the pid and the start time, so they are unique to the process; over years of
/// killed workers they would fill the directory.
/// </summary>
internal sealed class DiagnosticsFileCleanup
{
    private readonly string[] _files;

    /// <summary>The files of a process that has just been started.</summary>
    public DiagnosticsFileCleanup(int pid)
        : this(pid, long.TryParse(ProcFs.StartTicks(pid), NumberStyles.None, CultureInfo.InvariantCulture, out var start)
            ? start : null, Path.GetTempPath())
    {
    }

    /// <summary>The files of a process that may have ended long ago.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="start">The start time, in ticks since the boot; null if unknown.</param>
    /// <param name="folder">Its folder for temporary files.</param>
    public DiagnosticsFileCleanup(int pid, long? start, string folder) => _files = start is null
        ? []
        : [.. ((string[])[$"dotnet-diagnostic-{pid}-{start}-socket", $"clr-debug-pipe-{pid}-{start}-in",
            $"clr-debug-pipe-{pid}-{start}-out"]).Select(name => Path.Combine(folder, name))];

    /// <summary>
    /// Called after the process has ended. A worker in another language has no such files, and one that ended cleanly has removed its own.
    /// </summary>
    public void Remove()
    {
        foreach (var file in _files)
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A leftover file is harmless.
            }
        }
    }
}
