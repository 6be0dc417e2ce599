using System.Globalization;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>
/// A mark in the runtime directory for each process that this coordinator has started, and for itself. By these marks the next start finds
/// what a killed coordinator left behind: processes started by its workers, which no longer have a parent to end them, and the files of
/// each .NET runtime. The mark is the target of a symbolic link: written atomically, without needing a block on a full disk.
/// </summary>
/// <param name="Boot">The machine's boot id; process ids and start times of another boot mean nothing.</param>
/// <param name="Pid">The process; a worker leads the process group of the same number.</param>
/// <param name="Start">The start time, in ticks since the boot: unique together with the pid.</param>
/// <param name="Session">Its session.</param>
/// <param name="Folder">Its folder for temporary files.</param>
internal sealed record ProcessMark(string Boot, int Pid, long Start, string Session, string Folder)
{
    private const string Pattern = "*.process";
    private const char Separator = '\t';

    // Indices of fields in /proc/PID/stat after the name.
    private const int GroupField = 2;
    private const int SessionField = 3;
    private const int StartField = 19;

    /// <summary>The path of an incarnation's mark in a runtime directory.</summary>
    public static string PathIn(string directory, long incarnation) =>
        Path.Combine(directory, incarnation.ToString(CultureInfo.InvariantCulture) + Pattern[1..]);

    /// <summary>Marks a living process. If that fails, the next start cleans up less.</summary>
    public static void Write(string path, int pid)
    {
        if (ProcFs.Fields(pid) is not { } fields)
            return;
        try
        {
            File.CreateSymbolicLink(path, string.Join(Separator, BootId(), pid.ToString(CultureInfo.InvariantCulture), fields[StartField],
                fields[SessionField], Path.GetTempPath()));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // For example, no inode is left.
        }
    }

    /// <summary>The marks in a directory.</summary>
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
    /// Ends the rest of its process group, and removes the files that the runtimes of these processes and its own left in the temporary
    /// directory. Processes that moved to another group or session, as <c>setsid</c> does, are not included.
    /// </summary>
    /// <returns>The processes that were ended.</returns>
    public IReadOnlyList<int> Sweep()
    {
        var members = Members();
        // While a member lives, the kernel does not reuse the group's number.
        if (members.Count > 0)
            _ = NativeMethods.kill(-Pid, NativeMethods.SigKill);
        new DiagnosticsFileCleanup(Pid, Start, Folder).Remove();
        foreach (var (pid, start) in members)
            new DiagnosticsFileCleanup(pid, start, Folder).Remove();
        return [.. members.Select(member => member.Pid)];
    }

    /// <summary>The living processes of its group; none if the number has been reused or is this process's own.</summary>
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
