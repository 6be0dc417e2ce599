using System.Buffers.Binary;

namespace Orchestrator.Coordinator.Journal;

/// <summary>How far a journal has been written: a start must find at least this much, or records were lost.</summary>
/// <param name="Journal">The journal's identity, which its metadata names too.</param>
/// <param name="Position">The position of the last record.</param>
/// <param name="MetaWrites">How often the metadata were written.</param>
/// <param name="Log">The end of the write-ahead log.</param>
internal readonly record struct JournalMark(Guid Journal, ulong Position, ulong MetaWrites, LogPosition Log)
{
    /// <summary>The size in bytes.</summary>
    public const int Bytes = 92;

    // "ojm1"
    private const uint Magic = 0x316d6a6f;
    private const int SumAt = Bytes - sizeof(uint);

    /// <summary>
    /// Counts the commits; the newer of two marks has the higher number. The first, 1, states that there was no commit yet.
    /// </summary>
    public ulong Sequence { get; init; } = 1;

    /// <summary>The boot id of the machine when the mark was written; empty if unknown.</summary>
    public Guid Boot { get; init; }

    /// <summary>Writes the mark, with a checksum.</summary>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        bytes[4..8].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Sequence);
        Journal.TryWriteBytes(bytes[16..]);
        Boot.TryWriteBytes(bytes[32..]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[48..], Position);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[56..], MetaWrites);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[64..], Log.Salts);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[72..], Log.Sum);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[80..], Log.Frames);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[SumAt..], JournalRecordBuffer.Sum(0, bytes[..SumAt]));
    }

    /// <summary>Reads a mark; null if the bytes are not a valid mark.</summary>
    public static JournalMark? Read(ReadOnlySpan<byte> bytes)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[SumAt..]) != JournalRecordBuffer.Sum(0, bytes[..SumAt]))
            return null;
        var log = new LogPosition(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[64..]),
            (uint)BinaryPrimitives.ReadUInt64LittleEndian(bytes[80..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[72..]));
        return new JournalMark(
            new Guid(bytes[16..32]), BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[56..]), log)
        {
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            Boot = new Guid(bytes[32..48]),
        };
    }
}
