using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The files of an open journal, by path. Writes to a file that was deleted, replaced or truncated still succeed, but a later start cannot
/// find them.
/// </summary>
internal sealed unsafe class JournalFiles
{
    // Files missing at first have not been created yet, and are not checked.
    private static readonly string[] Suffixes = ["", WriteAheadLog.Suffix, JournalMarkFile.Suffix, "-shm", JournalFileLock.Suffix];

    private readonly string[] _paths;
    private readonly FileState?[] _first;

    /// <summary>Records the identity of each file. The files are open, so the inode number of a deleted one is not reused.</summary>
    public JournalFiles(string journal)
    {
        _paths = [.. Suffixes.Select(suffix => journal + suffix)];
        _first = [.. _paths.Select(path => ReadState(path, out _))];
    }

    /// <summary>Verifies that the files are unchanged.</summary>
    /// <exception cref="JournalException">A file has changed; the message says which.</exception>
    public void Check()
    {
        for (var i = 0; i < _paths.Length; i++)
        {
            if (_first[i] is not { } first)
                continue;
            if (ReadState(_paths[i], out var isMissing) is not { } now)
            {
                if (isMissing)
                    throw FileRemoved(i, "was deleted or moved");
                continue;
            }

            if (now with { Length = 0 } != first with { Length = 0 })
                throw FileRemoved(i, "was replaced by another file");
            if (now.Length < first.Length)
                throw FileRemoved(i, $"was cut off, from {first.Length} bytes to {now.Length}");
            // SQLite truncates none of them while they are open.
            _first[i] = now;
        }
    }

    private JournalException FileRemoved(int file, string what) =>
        new($"{_paths[file]} {what} while the coordinator ran, so that what is written to it is lost");

    private static FileState? ReadState(string path, out bool isMissing)
    {
        const int NoEntry = 2;
        const int NoDirectory = 20;
        var buffer = stackalloc byte[256];
        isMissing = false;
        if (NativeMethods.statx(NativeMethods.CurrentDirectory, path, 0, NativeMethods.BasicStats, buffer) != 0)
        {
            isMissing = Marshal.GetLastPInvokeError() is NoEntry or NoDirectory;
            return null;
        }

        // … stx_ino at 32, stx_size at 40, stx_dev_major and stx_dev_minor at 136.
        var stat = new ReadOnlySpan<byte>(buffer, 256);
        return new FileState(
            BinaryPrimitives.ReadUInt64LittleEndian(stat[136..]), BinaryPrimitives.ReadUInt64LittleEndian(stat[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(stat[40..]));
    }

    private readonly record struct FileState(ulong Device, ulong Number, long Length);
}
