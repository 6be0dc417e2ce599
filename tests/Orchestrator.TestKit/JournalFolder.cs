namespace Orchestrator.TestKit;

/// <summary>The files of a journal, copied and damaged.</summary>
public static class JournalFolder
{
    /// <summary>Copies the journal, also one that is open, without its lock.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "journal.db*"))
            File.WriteAllBytes(Path.Combine(to, Path.GetFileName(file)), ReadShared(file));
    }

    /// <summary>Cuts a file off behind this many bytes.</summary>
    public static void Cut(string directory, string file, long length)
    {
        using var open = new FileStream(Path.Combine(directory, file), FileMode.Open);
        open.SetLength(length);
    }

    /// <summary>Changes one bit.</summary>
    public static void Flip(string directory, string file, long at)
    {
        using var open = new FileStream(Path.Combine(directory, file), FileMode.Open);
        open.Position = at;
        var value = open.ReadByte();
        open.Position = at;
        open.WriteByte((byte)(value ^ 4));
    }

    private static byte[] ReadShared(string path)
    {
        // The runtime's own readers lock files, and a running coordinator holds the lock on its lock file.
        if (path.EndsWith(".lock", StringComparison.Ordinal))
            return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
