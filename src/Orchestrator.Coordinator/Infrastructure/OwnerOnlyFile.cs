using System.Text;

namespace Orchestrator.Coordinator.Infrastructure;

/// <summary>Files with secrets: replaced as a whole, and never readable by other users, not even for a moment.</summary>
internal static class OwnerOnlyFile
{
    /// <summary>The mode of such a file.</summary>
    public const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a file; a reader sees the old content or the new, also after a loss of power.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, string content)
    {
        var temporary = $"{path}.{Environment.ProcessId}.new";
        File.Delete(temporary);
        using (var stream = new FileStream(
            temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Mode }))
        {
            stream.Write(Encoding.UTF8.GetBytes(content));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
