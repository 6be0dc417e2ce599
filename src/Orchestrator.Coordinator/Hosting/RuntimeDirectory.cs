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

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path;

    public RuntimeDirectory(string dataDirectory)
    {
        var parent = Path.Combine(dataDirectory, "run");
        var isShared = System.Text.Encoding.UTF8.GetByteCount(parent) + 12 > MaxDirectoryLength;
        if (isShared)
            parent = Path.Combine(Path.GetTempPath(), $"orchestrator-{Environment.UserName}");
        Directory.CreateDirectory(parent, OwnerOnly);
        if (new DirectoryInfo(parent).LinkTarget is { } target)
            throw new IOException($"{parent} is a link to {target}, which somebody else may have made; remove it, or choose a shorter --data-dir");
        // Fails where it is another user's: the temporary directory is everybody's.
        File.SetUnixFileMode(parent, OwnerOnly);
        Sweep(parent, isShared);
        _path = Path.Combine(parent, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        // Two coordinators of one process, as in tests, share a pid.
        for (var i = 1; Directory.Exists(_path); i++)
            _path = Path.Combine(parent, $"{Environment.ProcessId}.{i}");
        Directory.CreateDirectory(_path, OwnerOnly);
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

    /// <summary>Under the data directory, which is locked, whatever is there is left over; elsewhere, what belongs to a pid that is no more.</summary>
    private static void Sweep(string parent, bool isShared)
    {
        foreach (var directory in Directory.EnumerateDirectories(parent))
        {
            var owner = Path.GetFileName(directory).Split('.')[0];
            if (int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && (!isShared || !Directory.Exists($"/proc/{pid}")))
                Directory.Delete(directory, recursive: true);
        }
    }
}
