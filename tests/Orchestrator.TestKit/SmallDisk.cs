using System.Diagnostics;

namespace Orchestrator.TestKit;

/// <summary>A file system of its own (tmpfs), small enough to be filled to its last block. It is removed with the test.</summary>
public sealed class SmallDisk : IDisposable
{
    private readonly DirectoryInfo _mount = System.IO.Directory.CreateTempSubdirectory("orchestrator-disk-");
    private readonly string _filler;

    /// <summary>Mounts it.</summary>
    /// <param name="megabytes">Its size.</param>
    public SmallDisk(int megabytes)
    {
        Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "tmpfs", _mount.FullName);
        _filler = Path.Combine(_mount.FullName, "filler");
    }

    /// <summary>Why no file system can be mounted here; null where one can.</summary>
    public static string? Missing { get; } = Probe();

    /// <summary>A folder on it, for a data directory.</summary>
    public string Directory => Path.Combine(_mount.FullName, "data");

    /// <summary>Takes every free block, except for this many bytes.</summary>
    public void Fill(int leave = 0)
    {
        using (var file = new FileStream(_filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var block = new byte[4_096];
            try
            {
                while (true)
                    file.Write(block);
            }
            catch (IOException)
            {
                // Full.
            }

            file.SetLength(Math.Max(0, file.Length - leave));
        }

        if (leave == 0 && new DriveInfo(_mount.FullName).AvailableFreeSpace != 0)
            throw new InvalidOperationException($"{_mount.FullName} is not full");
    }

    /// <summary>Frees what <see cref="Fill"/> took.</summary>
    public void Empty() => File.Delete(_filler);

    /// <summary>Keeps a file's blocks in use though the file itself may be deleted.</summary>
    public void Hold(string path) => Run("ln", path, Path.Combine(_mount.FullName, $"held-{Path.GetFileName(path)}"));

    /// <summary>Unmounts it.</summary>
    public void Dispose()
    {
        Run("umount", "--lazy", _mount.FullName);
        _mount.Delete();
    }

    private static string? Probe()
    {
        try
        {
            new SmallDisk(1).Dispose();
            return null;
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"no file system can be mounted here: {exception.Message}";
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {error.Trim()}");
    }
}
