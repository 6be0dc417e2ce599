using System.Buffers;
using System.Buffers.Binary;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Transport.Sockets;

/// <summary>Bytes as they have arrived, taken apart into frames. Not for several threads at once.</summary>
/// <param name="limitOf">The largest content that a frame of a kind may have; negative if the kind is not expected.</param>
/// <param name="isKept">Whether the receiver keeps the content of a large message.</param>
internal sealed class FrameBuffer(Func<FrameKind, int> limitOf, Func<bool> isKept)
{
    /// <summary>The kind, and the length in four bytes.</summary>
    public const int HeadBytes = 5;

    private const int UsualBytes = 16 * 1024;

    // A large frame makes the buffer grow as its bytes arrive: its length alone, which costs the sender nothing, must not cost memory.
    private const int Growth = 4;

    // A message of many small items is smaller, and keeps nothing.
    private const int OwnFrom = 256 * 1024;

    private readonly byte[] _usual = new byte[UsualBytes];
    private byte[]? _large;
    private bool _isOwn;
    private int _start;
    private int _end;
    private int _wanted = HeadBytes;
    private long _toSkip;
    private bool _isSkipping;

    /// <summary>The bytes that are kept.</summary>
    public int Count => _end - _start;

    /// <summary>Whether the content of the last frame is in an array of its own, which nothing else will write to.</summary>
    public bool IsContentOwn => _isOwn;

    private byte[] Bytes => _large ?? _usual;

    /// <summary>From now on drops frames up to the next that opens a call, without keeping their content.</summary>
    public void SkipToOpen() => _isSkipping = true;

    /// <summary>Takes the next frame.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="length">The length of its content.</param>
    /// <param name="content">Its content, until the next call of <see cref="Space"/>.</param>
    public FrameStep Take(out FrameKind kind, out uint length, out ReadOnlyMemory<byte> content)
    {
        (kind, length, content) = (default, 0, default);
        while (true)
        {
            var skipped = (int)Math.Min(_toSkip, Count);
            _start += skipped;
            _toSkip -= skipped;
            _wanted = HeadBytes;
            if (_toSkip > 0 || Count < HeadBytes)
                return FrameStep.Incomplete;
            kind = (FrameKind)Bytes[_start];
            length = BinaryPrimitives.ReadUInt32BigEndian(Bytes.AsSpan(_start + 1));
            if (limitOf(kind) is var limit && (limit < 0 || length > limit))
            {
                if (kind != FrameKind.Message || limit < 0)
                    return FrameStep.Violation;
                _toSkip = HeadBytes + (long)length;
                if (_isSkipping)
                    continue;
                return FrameStep.TooLarge;
            }

            if (_isSkipping && kind != FrameKind.Open)
            {
                _toSkip = HeadBytes + length;
                continue;
            }

            _wanted = HeadBytes + (int)length;
            if (Count < _wanted)
                return FrameStep.Incomplete;
            content = Bytes.AsMemory(_start + HeadBytes, (int)length);
            _start += _wanted;
            _isSkipping = false;
            return FrameStep.Frame;
        }
    }

    /// <summary>Room for bytes that follow; ends the content of the last frame.</summary>
    public Span<byte> Space()
    {
        if (Count == 0)
        {
            (_start, _end) = (0, 0);
            if (_isOwn || (_large is not null && _wanted <= UsualBytes))
                Release();
        }

        if (_start + _wanted > Bytes.Length || _end == Bytes.Length)
            MakeRoom();
        // What follows a large frame stays in the socket: a receiver that takes its time holds no more than usual.
        return Bytes.AsSpan(_end, Math.Min(Bytes.Length - _end, Math.Max(_wanted - Count, UsualBytes)));
    }

    /// <summary>Bytes have arrived in the room.</summary>
    public void Add(int count) => _end += count;

    /// <summary>Whether so many bytes can be appended without ending the content of the last frame.</summary>
    public bool HasRoom(int count) => Bytes.Length - _end >= count;

    /// <summary>Bytes have arrived elsewhere; ends the content of the last frame, unless there is room.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (!HasRoom(bytes.Length))
        {
            if (Count == 0)
            {
                (_start, _end) = (0, 0);
                Release();
            }

            MoveTo(Count + bytes.Length <= Bytes.Length ? Bytes : ArrayPool<byte>.Shared.Rent(Count + bytes.Length));
        }

        bytes.CopyTo(Bytes.AsSpan(_end));
        _end += bytes.Length;
    }

    private void MakeRoom()
    {
        if (Count < Bytes.Length)
        {
            MoveTo(Bytes);
            return;
        }

        var isWhole = _wanted <= (long)Bytes.Length * Growth;
        if (isWhole && _wanted >= OwnFrom && (FrameKind)Bytes[_start] == FrameKind.Message && isKept())
        {
            MoveTo(LargeArrays.Allocate(_wanted));
            _isOwn = true;
        }
        else
        {
            // What it is read to is as large.
            if (isWhole && _wanted >= OwnFrom)
                LargeArrays.KeepRoom();
            MoveTo(ArrayPool<byte>.Shared.Rent(isWhole ? _wanted : Bytes.Length * Growth));
        }
    }

    private void MoveTo(byte[] target)
    {
        var pending = Bytes.AsSpan(_start, Count);
        pending.CopyTo(target);
        (_start, _end) = (0, pending.Length);
        if (target == Bytes)
            return;
        Release();
        _large = target;
    }

    private void Release()
    {
        if (_large is { } old && !_isOwn)
            ArrayPool<byte>.Shared.Return(old);
        (_large, _isOwn) = (null, false);
    }
}
