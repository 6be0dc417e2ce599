using System.Globalization;

namespace Orchestrator.Coordinator.Supervision;

/// <summary>
/// A note in the runtime directory on a process that this coordinator has started, and on itself, by which the next start recognizes what a killed one has left
/// behind: the processes that its workers had started, which have no parent any more that ends with them, and the files of each .NET runtime. It is the target of a
/// symbolic link, which is written whole or not at all and takes no block of a full disk.
/// </summary>
/// <param name="Boot">The machine's boot; process ids and start times of another mean nothing.</param>
/// <param name="Pid">The process; a worker leads the process group of the same number.</param>
/// <param name="Start">When it was started, in ticks since the boot: with the id, nobody else's.</param>
/// <param name="Session">Its session.</param>
/// <param name="Folder">Its folder for temporary files.</param>
internal sealed record ProcessMark(string Boot, int Pid, long Start, string Session, string Folder)
{
    private const string Pattern = "*.process";
    private const char Separator = '\t';

    // Of /proc/PID/stat behind the name.
    private const int GroupField = 2;
    private const int SessionField = 3;
    private const int StartField = 19;

    /// <summary>Below a runtime directory.</summary>
    public static string PathIn(string directory, long incarnation) => Path.Combine(directory, incarnation.ToString(CultureInfo.InvariantCulture) + Pattern[1..]);

    /// <summary>Notes a process that lives. Where that cannot be, the next start sweeps less.</summary>
    public static void Write(string path, int pid)
    {
        if (ProcFs.Fields(pid) is not { } fields)
            return;
        try
        {
            File.CreateSymbolicLink(path, string.Join(Separator, BootId(), pid.ToString(CultureInfo.InvariantCulture), fields[StartField], fields[SessionField], Path.GetTempPath()));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No inode left, say.
        }
    }

    /// <summary>The notes in a directory.</summary>
    public static IReadOnlyList<ProcessMark> ReadAll(string directory)
    {
        var marks = new List<ProcessMark>();
        foreach (var path in Directory.EnumerateFileSystemEntries(directory, Pattern))
        {
            if (new FileInfo(path).LinkTarget?.Split(Separator) is [var boot, var pid, var start, var session, var folder]
                && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
                marks.Add(new ProcessMark(boot, number, ticks, session, folder));
        }

        return marks;
    }

    /// <summary>Whether the process itself lives.</summary>
    public bool IsAlive => Boot == BootId() && ProcFs.StartTicks(Pid) == Start.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Ends what is left of its process group, and removes what the runtimes of those and its own have left in the folder for temporary files. A process that has put
    /// itself into another group or session, as <c>setsid</c> does, is not among them.
    /// </summary>
    /// <returns>The processes that were ended.</returns>
    public IReadOnlyList<int> Sweep()
    {
        var members = Members();
        // While a member lives the kernel gives the group's number to nobody else.
        if (members.Count > 0)
            _ = NativeMethods.kill(-Pid, NativeMethods.SigKill);
        new DiagnosticsFileCleanup(Pid, Start, Folder).Remove();
        foreach (var (pid, start) in members)
            new DiagnosticsFileCleanup(pid, start, Folder).Remove();
        return [.. members.Select(member => member.Pid)];
    }

    /// <summary>The living processes of its group; none where the number has become somebody else's, or is ours.</summary>
    private List<(int Pid, long Start)> Members()
    {
        if (Boot != BootId() || NativeMethods.getpgid(0) == Pid)
            return [];
        var group = Pid.ToString(CultureInfo.InvariantCulture);
        var members = new List<(int, long)>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                || ProcFs.Fields(pid) is not { } fields || fields[0] == "Z" || fields[GroupField] != group)
                continue;
            var start = long.Parse(fields[StartField], CultureInfo.InvariantCulture);
            if (fields[SessionField] != Session || start < Start || (pid == Pid && start != Start))
                return [];
            members.Add((pid, start));
        }

        return members;
    }

    private static string BootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
