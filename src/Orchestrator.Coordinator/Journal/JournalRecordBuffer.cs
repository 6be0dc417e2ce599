using System.Buffers.Binary;
using System.Numerics;

namespace Orchestrator.Coordinator.Journal;

/// <summary>
/// Records as bytes: version (1 byte), length (4 bytes, little-endian), the record, and a CRC-32C over its position and all these bytes.
/// The position is not written but is part of the checksum, so a misplaced record counts as damaged, like one with a flipped bit. SQLite
/// itself checks the pages of its write-ahead log, but not those of the database.
/// </summary>
internal sealed class JournalRecordBuffer
{
    private const byte Version = 1;
    private const int HeaderBytes = 5;
    private const int SumBytes = 4;
    private const int FirstBytes = 4 * 1024;

    private byte[] _buffer = new byte[FirstBytes];

    /// <summary>The bytes so far.</summary>
    public int Length { get; private set; }

    /// <summary>The frame as it is to be stored.</summary>
    public byte[] ToArray() => _buffer.AsSpan(0, Length).ToArray();

    /// <summary>Empties the buffer.</summary>
    public void Clear() => Length = 0;

    /// <summary>Adds a record.</summary>
    public void Add(ulong position, Google.Protobuf.IMessage record)
    {
        var size = record.CalculateSize();
        var end = Length + HeaderBytes + size + SumBytes;
        if (end > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(end, _buffer.Length * 2));
        var bytes = _buffer.AsSpan(Length, HeaderBytes + size + SumBytes);
        bytes[0] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], size);
        Google.Protobuf.MessageExtensions.WriteTo(record, bytes.Slice(HeaderBytes, size));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[(HeaderBytes + size)..], Sum(position, bytes[..(HeaderBytes + size)]));
        Length = end;
    }

    /// <summary>Reads the records of a frame, in order.</summary>
    /// <param name="where">For messages: which frame.</param>
    /// <param name="first">The position of its first record.</param>
    /// <param name="frame">Its bytes.</param>
    /// <param name="onRecord">Receives each record's position and bytes.</param>
    /// <returns>The number of records.</returns>
    /// <exception cref="JournalException">It is damaged.</exception>
    public static ulong Read(string where, ulong first, byte[] frame, Action<ulong, ArraySegment<byte>> onRecord)
    {
        var position = first;
        var at = 0;
        for (; at < frame.Length; position++)
        {
            var rest = frame.AsSpan(at);
            if (rest.Length < HeaderBytes + SumBytes)
                throw Damaged($"record {position} of {where} is cut off");
            if (rest[0] != Version)
                throw Damaged($"record {position} of {where} has the version {rest[0]}, and this build reads version {Version}");
            var size = BinaryPrimitives.ReadInt32LittleEndian(rest[1..]);
            if (size < 0 || size > rest.Length - HeaderBytes - SumBytes)
                throw Damaged($"record {position} of {where} has the length {size}, which leaves its frame");
            var sum = BinaryPrimitives.ReadUInt32LittleEndian(rest[(HeaderBytes + size)..]);
            if (sum != Sum(position, rest[..(HeaderBytes + size)]))
                throw Damaged($"record {position} of {where} has a wrong checksum");
            onRecord(position, new ArraySegment<byte>(frame, at + HeaderBytes, size));
            at += HeaderBytes + size + SumBytes;
        }

        return position - first;
    }

    private static JournalException Damaged(string what) => new($"{what}: the journal is damaged");

    /// <summary>The checksum over a position and bytes.</summary>
    internal static uint Sum(ulong position, ReadOnlySpan<byte> bytes)
    {
        // The processor has an instruction for this polynomial; the hash classes of the base class library use another one.
        var crc = BitOperations.Crc32C(uint.MaxValue, position);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var single in bytes)
            crc = BitOperations.Crc32C(crc, single);
        return ~crc;
    }
}
