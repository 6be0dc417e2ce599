using System.Globalization;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Hosting;

/// <summary>
/// One coordinator per data directory. The kernel's file lock decides; it ends with its process, however the process ends. The pid file
/// beside it only serves the error message.
/// </summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private const string LockName = "coordinator.lock";
    private const string PidName = "coordinator.pid";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _held;
    private readonly string _pidPath;

    private DataDirectoryLock(FileStream held, string pidPath)
    {
        _held = held;
        _pidPath = pidPath;
    }

    /// <summary>Warnings: deviations that do not prevent the start.</summary>
    public string? Warning { get; private init; }

    /// <summary>Creates the directory if it is missing, and locks it.</summary>
    /// <exception cref="IOException">Another coordinator holds the lock, or the directory cannot be used; the message says
    /// which.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        var pidPath = Path.Combine(directory, PidName);
        try
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
            var warning = OwnedPath.CheckDirectory(directory, "the directory");
            var path = Path.Combine(directory, LockName);
            var held = Open(path)
                ?? throw new IOException(
                    $"another coordinator{Holder(pidPath)} runs in {directory}; stop it, or give this one a directory of its own with " +
                    "--data-dir");
            try
            {
                File.WriteAllText(pidPath, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
                return new DataDirectoryLock(held, pidPath) { Warning = warning };
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException
            || (exception is IOException && !exception.Message.StartsWith("another coordinator", StringComparison.Ordinal)))
        {
            throw new IOException(
                $"the data directory {directory} cannot be used: {exception.Message.TrimEnd('.')}; --data-dir names another", exception);
        }
    }

    public void Dispose()
    {
        File.Delete(_pidPath);
        _held.Dispose();
    }

    /// <summary>Null if another process holds the lock.</summary>
    private static FileStream? Open(string path)
    {
        try
        {
            // Exclusive: flock(2) underneath.
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = OwnerOnly
            });
        }
        catch (IOException exception) when (exception.HResult == WouldBlock)
        {
            return null;
        }
    }

    // Linux's EWOULDBLOCK, as which the framework reports a lock held by another process.
    private const int WouldBlock = 11;

    private static string Holder(string pidPath)
    {
        try
        {
            return $" (pid {File.ReadAllText(pidPath).Trim()})";
        }
        catch (IOException)
        {
            // The other coordinator is just starting or stopping.
            return "";
        }
    }
}
