using System.Globalization;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// What the .NET runtime of a worker leaves in the folder for temporary files when it is killed: the socket of dotnet-trace and its like, and the debugger's
/// pipes. Their names hold the process and its start, so that they are nobody else's; where workers are killed for years, they would fill the folder.
/// </summary>
internal sealed class DiagnosticsFileCleanup
{
    private readonly string[] _files;

    /// <summary>Of a process that has just been started.</summary>
    public DiagnosticsFileCleanup(int pid)
        : this(pid, long.TryParse(ProcFs.StartTicks(pid), NumberStyles.None, CultureInfo.InvariantCulture, out var start) ? start : null, Path.GetTempPath())
    {
    }

    /// <summary>Of one that may have ended long ago.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="start">When it was started, in ticks since the boot; null where that is not known.</param>
    /// <param name="folder">Its folder for temporary files.</param>
    public DiagnosticsFileCleanup(int pid, long? start, string folder) => _files = start is null
        ? []
        : [.. ((string[])[$"dotnet-diagnostic-{pid}-{start}-socket", $"clr-debug-pipe-{pid}-{start}-in", $"clr-debug-pipe-{pid}-{start}-out"]).Select(name => Path.Combine(folder, name))];

    /// <summary>Once it has ended. A worker in another language has none, and one that ended well has removed its own.</summary>
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
                // It does no harm but lie there.
            }
        }
    }
}
