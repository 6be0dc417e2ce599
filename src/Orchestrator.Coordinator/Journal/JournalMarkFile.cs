using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Coordinator.Infrastructure;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// The file <c>journal.db-mark</c>: how far the journal has been written, kept apart from it. SQLite treats a write-ahead log as ending
/// before its first bad frame, and cannot know of later frames; the mark distinguishes lost records from ones never finished. The file has
/// two slots for flushed progress, written in turn so that one is intact at any moment, and one slot for written progress, flushed or not,
/// which is valid until the machine reboots.
/// </summary>
internal sealed class JournalMarkFile : IDisposable
{
    /// <summary>The suffix to the journal's file name.</summary>
    public const string Suffix = "-mark";

    // One sector per slot: a power loss tears at most the sector being written.
    private const int PlaceBytes = 512;
    private const int FlushedPlaces = 2;
    private const int WrittenPlace = FlushedPlaces;
    private const int FileBytes = 4_096;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly Guid ThisBoot = ReadBoot();

    private readonly SafeFileHandle _file;
    private readonly string _path;
    private readonly byte[] _bytes = new byte[JournalMark.Bytes];
    private int _place;

    private JournalMarkFile(string path, SafeFileHandle file, int place) => (_path, _file, _place) = (path, file, place);

    /// <summary>Creates the mark file of a journal with its first mark; replaces an existing file.</summary>
    public static JournalMarkFile Create(string journal, JournalMark first)
    {
        var path = journal + Suffix;
        File.Delete(path);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
            BufferSize = 0,
            UnixCreateMode = OwnerOnly,
        });
        // Written and not only reserved, so that later writes change only these bytes and a flush is cheap.
        file.Write(new byte[FileBytes]);
        file.Flush(flushToDisk: true);
        var created = new JournalMarkFile(path, file.SafeFileHandle, 0);
        created.Flush(first);
        DirectoryEntries.Flush(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return created;
    }

    /// <summary>Opens a journal's mark file for writing; also returns the mark that it holds.</summary>
    /// <exception cref="JournalException">It is missing or damaged.</exception>
    public static (JournalMarkFile File, JournalMark Mark) Open(string journal)
    {
        var (mark, place) = ReadPlaces(journal) ?? throw new JournalException($"{Name(journal)} is missing");
        var path = journal + Suffix;
        return (new JournalMarkFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite), place), mark);
    }

    /// <summary>The progress that a start must find; null if there is no mark file.</summary>
    /// <exception cref="JournalException">It is damaged.</exception>
    public static JournalMark? Read(string journal) => ReadPlaces(journal)?.Mark;

    /// <summary>Writes a mark of written progress: valid until the machine reboots.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(JournalMark mark) => Write(mark, WrittenPlace);

    /// <summary>Writes a mark of flushed progress, and flushes it.</summary>
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
                throw new JournalException(
                    $"{Name(journal)} is cut off, {RandomAccess.GetLength(file)} of {FileBytes} bytes are left of it");
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
        // Progress that was only written survives the death of the process, but not a reboot.
        if (JournalMark.Read(At(bytes, WrittenPlace)) is { } written && written.Boot == ThisBoot && ThisBoot != Guid.Empty
            && written.Sequence > newest.Value.Sequence)
            newest = written;
        return (newest.Value, newestPlace);
    }

    private void Write(JournalMark mark, int place)
    {
        (mark with { Boot = ThisBoot }).WriteTo(_bytes);
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
            // Some sandboxes have no boot id. Only flushed progress counts then.
            return Guid.Empty;
        }
    }
}
