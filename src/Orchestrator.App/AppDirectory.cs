using System.Globalization;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.App;

/// <summary>
/// The directory of one run of a program that has named none: private to its user and removed at the end. The next run sweeps those of
/// killed programs.
/// </summary>
internal sealed class AppDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static int s_count;

    public AppDirectory()
    {
        var parent = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"orchestrator-{Environment.UserName}");
        Directory.CreateDirectory(parent, OwnerOnly);
        // Any user can create the well-known name first, and root could change the mode of another user's directory.
        OwnedPath.CheckDirectory(parent, "the directory of embedded pools");
        if (!OwnedPath.IsOwn(parent))
            throw new IOException($"{parent} belongs to another user; remove it, or name a data directory");
        File.SetUnixFileMode(parent, OwnerOnly);
        Sweep(parent);
        Path = System.IO.Path.Combine(parent, $"app-{Environment.ProcessId}.{Interlocked.Increment(ref s_count)}");
        Directory.CreateDirectory(Path, OwnerOnly);
    }

    public string Path { get; }

    public void Dispose()
    {
        if (Directory.Exists(Path))
            Directory.Delete(Path, recursive: true);
    }

    private static void Sweep(string parent)
    {
        foreach (var directory in Directory.EnumerateDirectories(parent, "app-*"))
        {
            var owner = System.IO.Path.GetFileName(directory)["app-".Length..].Split('.')[0];
            if (!int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || Directory.Exists($"/proc/{pid}"))
                continue;
            try
            {
                // Before the directory is removed, which lists what to sweep.
                _ = RuntimeDirectory.SweepBelow(System.IO.Path.Combine(directory, "run"));
                Directory.Delete(directory, recursive: true);
            }
            catch (IOException)
            {
                // Another starting program sweeps at the same time.
            }
        }
    }
}
