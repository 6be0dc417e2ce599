using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Supervision;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The file <c>journal.db-mark</c>: how far the journal has come, kept apart from it. SQLite takes a write-ahead log up to its first bad frame for all that there
/// was, and cannot know of more; with the mark, what was lost is told from what was never finished. It has two places for what has been flushed, written in turn
/// so that one is whole at any moment, and one for what has been written, flushed or not, which holds until the machine is started anew.
/// </summary>
internal sealed class JournalMarkFile : IDisposable
{
    /// <summary>What the journal's name has appended.</summary>
    public const string Suffix = "-mark";

    // A sector each: a power loss tears at most the one that is being written.
    private const int PlaceBytes = 512;
    private const int FlushedPlaces = 2;
    private const int WrittenPlace = FlushedPlaces;
    private const int FileBytes = 4_096;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Guid s_boot = ReadBoot();

    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly byte[] _bytes = new byte[JournalMark.Bytes];
    private int _place;

    private JournalMarkFile(string path, SafeFileHandle file, int place) => (_path, _file, _place) = (path, file, place);

    /// <summary>Creates the file of a journal whose first mark this is; one that is there is replaced.</summary>
    public static JournalMarkFile Create(string journal, JournalMark first)
    {
        var path = journal + Suffix;
        File.Delete(path);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0, UnixCreateMode = OwnerOnly,
        });
        // Written and not only reserved, so that later writes change nothing but these bytes and a flush has little to do.
        file.Write(new byte[FileBytes]);
        file.Flush(flushToDisk: true);
        var created = new JournalMarkFile(path, file.SafeFileHandle, 0);
        created.Flush(first);
        DirectoryEntries.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return created;
    }

    /// <summary>Opens the file of a journal to write it; the mark that it holds comes along.</summary>
    /// <exception cref="JournalException">It is missing or damaged.</exception>
    public static (JournalMarkFile File, JournalMark Mark) Open(string journal)
    {
        var (mark, place) = ReadPlaces(journal) ?? throw new JournalException($"{Name(journal)} is missing");
        var path = journal + Suffix;
        return (new JournalMarkFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), place), mark);
    }

    /// <summary>What a start must find again; null where there is no such file.</summary>
    /// <exception cref="JournalException">It is damaged.</exception>
    public static JournalMark? Read(string journal) => ReadPlaces(journal)?.Mark;

    /// <summary>Writes a mark of what is written: it holds until the machine is started anew.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(JournalMark mark) => Write(mark, WrittenPlace);

    /// <summary>Writes a mark of what is flushed, and flushes it.</summary>
    /// <exception cref="IOException">It cannot be written or flushed.</exception>
    public void Flush(JournalMark mark)
    {
        _place = (_place + 1) % FlushedPlaces;
        Write(mark, _place);
        if (NativeMethods.fdatasync(_file) != 0)
            throw new IOException($"{_path} cannot be flushed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public void Dispose() => _file.Dispose();

    private static (JournalMark Mark, int Place)? ReadPlaces(string journal)
    {
        var path = journal + Suffix;
        if (!File.Exists(path))
            return null;
        Span<byte> bytes = stackalloc byte[FileBytes];
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            if (RandomAccess.Read(file, bytes, 0) < FileBytes)
                throw new JournalException($"{Name(journal)} is cut off, {RandomAccess.GetLength(file)} of {FileBytes} bytes are left of it");
        }

        JournalMark? newest = null;
        var newestPlace = 0;
        for (var place = 0; place < FlushedPlaces; place++)
        {
            if (JournalMark.Read(At(bytes, place)) is { } mark && !(newest?.Sequence > mark.Sequence))
                (newest, newestPlace) = (mark, place);
        }

        if (newest is null)
            throw new JournalException($"{Name(journal)}, which says how far the journal has come, is damaged");
        // What was only written survives the death of the process, and not that of the machine.
        if (JournalMark.Read(At(bytes, WrittenPlace)) is { } written && written.Boot == s_boot && s_boot != Guid.Empty && written.Sequence > newest.Value.Sequence)
            newest = written;
        return (newest.Value, newestPlace);
    }

    private void Write(JournalMark mark, int place)
    {
        (mark with { Boot = s_boot }).WriteTo(_bytes);
        RandomAccess.Write(_file, _bytes, place * PlaceBytes);
    }

    private static string Name(string journal) => Path.GetFileName(journal) + Suffix;

    private static Span<byte> At(Span<byte> bytes, int place) => bytes.Slice(place * PlaceBytes, JournalMark.Bytes);

    private static Guid ReadBoot()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id"), out var boot) ? boot : Guid.Empty;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Some sandboxes have none. Only what was flushed counts then.
            return Guid.Empty;
        }
    }
}
