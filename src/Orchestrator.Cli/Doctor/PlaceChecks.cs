using System.Net.Sockets;
using Orchestrator.Cli.Output;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Doctor;

/// <summary>Checks of the data directory: owner, contents and free space.</summary>
internal static class PlaceChecks
{
    private const long NeededDisk = 100L << 20;
    private const long WiseDisk = 1L << 30;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const UnixFileMode WrittenByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    public static IEnumerable<Check> Run(string dataDirectory)
    {
        yield return Folder(dataDirectory);
        yield return Token(Path.Combine(dataDirectory, ProtocolConstants.TokenFileName));
        yield return Runtime(dataDirectory);
        yield return Disk(dataDirectory);
    }

    internal static Check Folder(string path)
    {
        const string Name = "data directory";
        if (!Directory.Exists(path))
        {
            return CanWrite(Nearest(path)) is { } refused
                ? new(Name, Verdict.Fail, $"{path} cannot be made: {refused}", "name another with --data-dir or ORCHESTRATOR_DATA_DIR")
                : Check.Ok(Name, $"{path}, made at the first start");
        }

        if (CanWrite(path) is { } reason)
            return new(Name, Verdict.Fail, $"{path} cannot be written: {reason}",
                $"'chown {Environment.UserName} {path}', or name another with --data-dir");
        return (File.GetUnixFileMode(path) & WrittenByOthers) != 0
            ? new(Name, Verdict.Fail, $"{path} may be written by others, who could put a token of their own there", $"'chmod go-w {path}'")
            : Check.Ok(Name, path);
    }

    internal static Check Token(string path)
    {
        const string Name = "token";
        if (!File.Exists(path))
            return Check.Ok(Name, "made at the first start");
        var mode = File.GetUnixFileMode(path);
        if ((mode & Others) != 0)
            return new(Name, Verdict.Fail, $"{path} is open to others (mode {Convert.ToString((int)mode, 8)})",
                $"'chmod 600 {path}', and if others may have read it, remove it and start the coordinator anew: it makes another");
        try
        {
            return File.ReadAllText(path).Trim().Length >= 32
                ? Check.Ok(Name, $"{path}, mode 600")
                : new(Name, Verdict.Warn, $"{path} holds no token", "start the coordinator anew: it makes another");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new(Name, Verdict.Fail, $"{path} cannot be read: {exception.Message}",
                $"run as the user who runs the coordinator, or 'chown {Environment.UserName} {path}'");
        }
    }

    /// <summary>
    /// Whether sockets can be created in the workers' directory; some shared and overlay file systems do not support them.
    /// </summary>
    internal static Check Runtime(string dataDirectory)
    {
        const string Name = "sockets";
        var folder = Directory.Exists(Path.Combine(dataDirectory, "run")) ? Path.Combine(dataDirectory, "run") : Nearest(dataDirectory);
        // sun_path holds 108 bytes; for a longer data directory path, the coordinator uses the same fallback.
        if (folder.Length > 70)
            folder = Path.GetTempPath();
        var path = Path.Combine(folder, $".doctor-{Environment.ProcessId}");
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            return Check.Ok(Name, $"can be made in {folder}");
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            return new(Name, Verdict.Fail, $"cannot be made in {folder}: {exception.Message}",
                "name a data directory on a local file system with --data-dir");
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal static Check Disk(string dataDirectory)
    {
        var free = new DriveInfo(Nearest(dataDirectory)).AvailableFreeSpace;
        return Check.AtLeast("disk", free, NeededDisk, WiseDisk, $"{Format.Bytes((ulong)free)} free",
            "free some, or name a data directory elsewhere with --data-dir");
    }

    // The deepest existing directory of the path.
    private static string Nearest(string path)
    {
        while (!Directory.Exists(path))
            path = Path.GetDirectoryName(path) ?? "/";
        return path;
    }

    private static string? CanWrite(string folder)
    {
        var path = Path.Combine(folder, $".doctor-{Environment.ProcessId}");
        try
        {
            File.WriteAllText(path, "");
            File.Delete(path);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
