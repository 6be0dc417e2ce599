using System.Buffers.Binary;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Reads SQLite's write-ahead log as its recovery does (sqlite.org/fileformat2.html, "The Write-Ahead Log"): a header of 32 bytes, then
/// frames of 24 bytes and a page, each with the header's salts and a checksum over everything before it.
/// </summary>
internal static class WriteAheadLog
{
    /// <summary>The suffix to the journal's file name.</summary>
    public const string Suffix = "-wal";

    private const uint BigEndianMagic = 0x377f0683;
    private const uint LittleEndianMagic = 0x377f0682;
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;

    /// <summary>Verifies that the log has at least the expected intact frames with the expected checksum.</summary>
    /// <param name="journal">The database's file.</param>
    /// <param name="expected">The place that the log must reach.</param>
    /// <exception cref="JournalException">A frame up to that place is damaged or missing; the message says which.</exception>
    public static void Check(string journal, LogPosition expected)
    {
        var path = journal + Suffix;
        if (expected.Frames == 0 || !File.Exists(path))
            return;
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> header = stackalloc byte[HeaderBytes];
        Span<byte> now = stackalloc byte[HeaderBytes];
        // If the log is empty, has a torn header or other salts, the database's own content decides: the expected log may have been
        // checkpointed into it since.
        while (RandomAccess.Read(file, header, 0) == HeaderBytes && Start(header) is { } start && start.Salts == expected.Salts)
        {
            if (Walk(file, start, expected) is not { } damage)
                return;
            // A coordinator that restarts its log writes the header first.
            if (RandomAccess.Read(file, now, 0) == HeaderBytes && now.SequenceEqual(header))
                throw new JournalException(
                    $"{Path.GetFileName(path)}: {damage}, and {expected.Frames} frames were written: the write-ahead log is " +
                    "damaged")
                { IsLoss = true };
        }
    }

    /// <summary>Describes the log, for messages.</summary>
    public static string Describe(string journal) => new FileInfo(journal + Suffix) switch
    {
        // SQLite creates an empty log when it opens a journal that has none.
        { Exists: false } or { Length: 0 } => $"{Path.GetFileName(journal)}{Suffix} is missing or empty",
        var log => $"{log.Name} has {log.Length} bytes",
    };

    /// <summary>The fault of the first bad frame up to a place; null if there is none.</summary>
    private static string? Walk(Microsoft.Win32.SafeHandles.SafeFileHandle file, LogStart start, LogPosition expected)
    {
        var frame = new byte[FrameHeaderBytes + start.PageBytes];
        var sum = start.Sum;
        long at = HeaderBytes;
        for (var number = 1u; number <= expected.Frames; number++, at += frame.Length)
        {
            if (RandomAccess.Read(file, frame, at) < frame.Length)
                return $"it ends within frame {number} at byte {RandomAccess.GetLength(file)}";
            if (BinaryPrimitives.ReadUInt64BigEndian(frame.AsSpan(8)) != start.Salts)
                return $"frame {number} at byte {at} is not one of this log";
            sum = Add(sum, frame.AsSpan(0, 8), start.IsBigEndian);
            sum = Add(sum, frame.AsSpan(FrameHeaderBytes), start.IsBigEndian);
            if (BinaryPrimitives.ReadUInt64BigEndian(frame.AsSpan(16)) != sum)
                return $"frame {number} at byte {at} has a wrong checksum";
        }

        return sum == expected.Sum ? null : $"its first {expected.Frames} frames are not those that were written";
    }

    private static LogStart? Start(ReadOnlySpan<byte> header)
    {
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        var isBigEndian = magic == BigEndianMagic;
        if (!isBigEndian && magic != LittleEndianMagic)
            return null;
        var pageBytes = BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        var sum = Add(0, header[..24], isBigEndian);
        return BinaryPrimitives.ReadUInt64BigEndian(header[24..]) == sum && pageBytes is >= 512 and <= 65_536
            ? new LogStart(BinaryPrimitives.ReadUInt64BigEndian(header[16..]), sum, (int)pageBytes, isBigEndian)
            : null;
    }

    /// <summary>The two running sums, the first in the upper 32 bits.</summary>
    private static ulong Add(ulong sum, ReadOnlySpan<byte> bytes, bool isBigEndian)
    {
        var (first, second) = ((uint)(sum >> 32), (uint)sum);
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            first += (isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes)) + second;
            second += (isBigEndian
                ? BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..])) + first;
        }

        return ((ulong)first << 32) | second;
    }

    private readonly record struct LogStart(ulong Salts, ulong Sum, int PageBytes, bool IsBigEndian);
}

/// <summary>A place in a write-ahead log.</summary>
/// <param name="Salts">Identify the log: each restart of the log changes them.</param>
/// <param name="Frames">The number of frames up to the place; 0 if there is no log.</param>
/// <param name="Sum">The checksum over those frames.</param>
internal readonly record struct LogPosition(ulong Salts, uint Frames, ulong Sum);
