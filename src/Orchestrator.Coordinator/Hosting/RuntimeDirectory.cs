using System.Globalization;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// Where this instance keeps sockets and flight recorders: a directory of its own (0700) under the data directory, or under the system's
/// temporary directory where the path would be too long for a socket. Those of instances that died are swept at the start.
/// </summary>
internal sealed class RuntimeDirectory : IDisposable
{
    // sun_path of Linux holds 108 bytes with its final zero; the longest name below it is "/w-9223372036854775807.sock~",
    // since a worker may bind under a name of its own and rename it once it accepts.
    private const int MaxDirectoryLength = 107 - 28;

    private readonly string _path;

    public RuntimeDirectory(string dataDirectory)
    {
        var parent = Path.Combine(dataDirectory, "run");
        if (System.Text.Encoding.UTF8.GetByteCount(parent) + 12 > MaxDirectoryLength)
            parent = Path.Combine(Path.GetTempPath(), $"orchestrator-{Environment.UserName}");
        Directory.CreateDirectory(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Sweep(parent);
        _path = Path.Combine(parent, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        // Two coordinators of one process, as in tests, share a pid.
        for (var i = 1; Directory.Exists(_path); i++)
            _path = Path.Combine(parent, $"{Environment.ProcessId}.{i}");
        Directory.CreateDirectory(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>A new name per incarnation, so that a late client cannot meet a stranger.</summary>
    public string SocketPath(long incarnation) => Path.Combine(_path, $"w-{incarnation}.sock");

    /// <summary>Where the coordinator listens for its workers; known before it listens anywhere.</summary>
    public string CoordinatorSocket => Path.Combine(_path, "coordinator.sock");

    public string RecorderPath(long incarnation) => Path.Combine(_path, $"w-{incarnation}.rec");

    public void Dispose()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }

    private static void Sweep(string parent)
    {
        foreach (var directory in Directory.EnumerateDirectories(parent))
        {
            var owner = Path.GetFileName(directory).Split('.')[0];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && !Directory.Exists($"/proc/{pid}"))
                Directory.Delete(directory, recursive: true);
        }
    }
}
