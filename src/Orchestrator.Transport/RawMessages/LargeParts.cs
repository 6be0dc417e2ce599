using System.Buffers;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace Orchestrator.Transport.RawMessages;

/// <summary>Large payloads that belong between the bytes of a buffer and are not copied into it.</summary>
internal sealed class LargeParts
{
    /// <summary>Payloads of so many bytes are sent from where they are: copying less costs less than a part of its own.</summary>
    public const int From = 32 * 1024;

    private readonly List<(int At, ReadOnlyMemory<byte> Bytes)> _parts = [];

    /// <summary>How many there are.</summary>
    public int Count => _parts.Count;

    /// <summary>Their bytes.</summary>
    public int Bytes { get; private set; }

    /// <summary>Adds one behind the first <paramref name="at"/> bytes of the buffer.</summary>
    public void Add(int at, ReadOnlyMemory<byte> bytes)
    {
        _parts.Add((at, bytes));
        Bytes = checked(Bytes + bytes.Length);
    }

    /// <summary>Adds those of another buffer, whose first byte is at <paramref name="at"/> of this one.</summary>
    public void Add(int at, LargeParts others)
    {
        foreach (var (position, bytes) in others._parts)
            Add(at + position, bytes);
    }

    /// <summary>Bytes were put before those from this number on.</summary>
    public void Move(int from, int by)
    {
        foreach (ref var part in CollectionsMarshal.AsSpan(_parts)[from..])
            part.At += by;
    }

    /// <summary>Drops those from this number on.</summary>
    public void RemoveFrom(int count)
    {
        foreach (var (_, bytes) in CollectionsMarshal.AsSpan(_parts)[count..])
            Bytes -= bytes.Length;
        _parts.RemoveRange(count, _parts.Count - count);
    }

    /// <summary>The bytes of the buffer with these between them.</summary>
    public ReadOnlySequence<byte> Join(ReadOnlyMemory<byte> buffer)
    {
        var first = new Segment(null, default);
        var last = first;
        var taken = 0;
        foreach (var (at, bytes) in _parts)
        {
            last = new Segment(last, buffer[taken..at]);
            last = new Segment(last, bytes);
            taken = at;
        }

        last = new Segment(last, buffer[taken..]);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(Segment? before, ReadOnlyMemory<byte> bytes)
        {
            Memory = bytes;
            if (before is null)
                return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
