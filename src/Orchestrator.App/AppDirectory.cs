using System.Globalization;
using Orchestrator.Coordinator.Hosting;
using Orchestrator.Coordinator.Security;

namespace Orchestrator.App;

/// <summary>The directory of one life of a program that has named none: its owner's alone, and removed at the end. What killed programs left is swept by the next.</summary>
internal sealed class AppDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static int s_count;

    public AppDirectory()
    {
        var parent = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"orchestrator-{Environment.UserName}");
        Directory.CreateDirectory(parent, OwnerOnly);
        // Every user knows the name, and root could set the mode of another's directory.
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
                // Before the directory goes, which says what there is.
                _ = RuntimeDirectory.SweepBelow(System.IO.Path.Combine(directory, "run"));
                Directory.Delete(directory, recursive: true);
            }
            catch (IOException)
            {
                // Another program that starts sweeps at the same time.
            }
        }
    }
}
