using System.Globalization;
using System.Text;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// This instance's directory for sockets and flight recorders: its own (0700) under the data directory, or under a temporary directory if
/// the path would be too long for a socket. At the start, the directories of dead instances are removed, together with the processes and
/// files that they left behind.
/// </summary>
internal sealed class RuntimeDirectory : IDisposable
{
    // sun_path of Linux holds 108 bytes with its final zero; the longest name below it is "/w-9223372036854775807.sock~",
    // since a worker may bind under a name of its own and rename it once it accepts.
    private const int MaxDirectoryLength = 107 - 28;

    // A pid and a counter.
    private const int OwnNameLength = 12;

    // The number of the coordinator's own mark; those of workers begin with 1.
    private const int OwnMark = 0;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path;

    /// <exception cref="IOException">No directory with a short enough path is available; the message says which were tried.</exception>
    public RuntimeDirectory(string dataDirectory)
    {
        var parent = ParentOf(dataDirectory, out var isShared);
        Directory.CreateDirectory(parent, OwnerOnly);
        if (new DirectoryInfo(parent).LinkTarget is { } target)
            throw new IOException(
                $"{parent} is a link to {target}, which another user may have made; remove it, or choose a shorter --data-dir");
        // The temporary directory is shared by all users, and root could change the mode of another user's directory.
        OwnedPath.CheckDirectory(parent, "the runtime directory");
        if (!OwnedPath.IsOwn(parent))
            throw new IOException(
                $"the runtime directory {parent} is root's, and this user cannot make it his own; remove it, or choose a shorter " +
                "--data-dir");
        File.SetUnixFileMode(parent, OwnerOnly);
        Swept = Sweep(parent, isShared);
        _path = Path.Combine(parent, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        // Two coordinators in one process, as in tests, share a pid.
        for (var i = 1; Directory.Exists(_path); i++)
            _path = Path.Combine(parent, $"{Environment.ProcessId}.{i}");
        Directory.CreateDirectory(_path, OwnerOnly);
        ProcessMark.Write(MarkPath(OwnMark), Environment.ProcessId);
    }

    /// <summary>Processes left by workers of a killed coordinator, which this start has ended.</summary>
    public IReadOnlyList<int> Swept { get; }

    /// <summary>A new name per incarnation, so that a late client cannot reach a different worker.</summary>
    public string SocketPath(long incarnation) => Path.Combine(_path, $"w-{incarnation}.sock");

    /// <summary>The socket on which the coordinator serves its workers; known before it listens.</summary>
    public string CoordinatorSocket => Path.Combine(_path, "coordinator.sock");

    /// <summary>The socket of the local transport.</summary>
    public string LocalTransportSocket => Path.Combine(_path, "local.sock");

    public string RecorderPath(long incarnation) => Path.Combine(_path, $"w-{incarnation}.rec");

    /// <summary>The path of an incarnation's process mark.</summary>
    public string MarkPath(long incarnation) => ProcessMark.PathIn(_path, incarnation);

    public void Dispose()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }

    /// <summary>
    /// Ends the processes and removes the files that the coordinators of these subdirectories, all dead, have left behind.
    /// </summary>
    /// <returns>The processes that were ended.</returns>
    internal static IReadOnlyList<int> SweepBelow(string parent) => Directory.Exists(parent) ? Sweep(parent, isShared: true) : [];

    private static string ParentOf(string dataDirectory, out bool isShared)
    {
        var own = Path.Combine(dataDirectory, "run");
        string[] others = [.. ((string[])[Path.GetTempPath(), "/tmp"]).Select(
            folder => Path.Combine(folder, $"orchestrator-{Environment.UserName}")).Distinct()];
        isShared = !Fits(own);
        if (!isShared)
            return own;
        return Array.Find(others, Fits)
            ?? throw new IOException(
                $"a socket's path may have 107 bytes, and these would be longer: those below {own} and {string.Join(" and ", others)}; " +
                "choose a shorter --data-dir or TMPDIR");

        static bool Fits(string parent) => Encoding.UTF8.GetByteCount(parent) + OwnNameLength <= MaxDirectoryLength;
    }

    /// <summary>
    /// Under the data directory, which is locked, every entry is left over; elsewhere, only entries of processes that no longer exist.
    /// </summary>
    private static List<int> Sweep(string parent, bool isShared)
    {
        var ended = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories(parent))
        {
            var owner = Path.GetFileName(directory).Split('.')[0];
            if (!int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                continue;
            try
            {
                var marks = ProcessMark.ReadAll(directory);
                if (isShared && (marks.FirstOrDefault(mark => mark.Pid == pid)?.IsAlive ?? Directory.Exists($"/proc/{pid}")))
                    continue;
                ended.AddRange(marks.SelectMany(mark => mark.Sweep()));
                Directory.Delete(directory, recursive: true);
            }
            catch (IOException)
            {
                // Another starting coordinator is cleaning up at the same time.
            }
        }

        return ended;
    }
}
