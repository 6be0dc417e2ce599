using Google.Protobuf;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// Bytes of a received message, valid until the next is read. Where the message has its array to itself, a large part is kept without a
/// copy.
/// </summary>
internal readonly ref struct ReceivedBytes
{
    // Clearing less costs nothing to speak of.
    private const int UnclearedFrom = 2048;

    private readonly byte[]? _own;

    /// <param name="bytes">Of an array that is used again.</param>
    public ReceivedBytes(ReadOnlySpan<byte> bytes) => Span = bytes;

    /// <param name="own">An array that nothing else will write to.</param>
    /// <param name="start">Where they begin in it.</param>
    /// <param name="length">How many they are.</param>
    public ReceivedBytes(byte[] own, int start, int length)
        : this(own.AsSpan(start, length), own)
    {
    }

    private ReceivedBytes(ReadOnlySpan<byte> bytes, byte[]? own)
    {
        Span = bytes;
        _own = own;
    }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Span { get; }

    public static implicit operator ReceivedBytes(ReadOnlySpan<byte> bytes) => new(bytes);

    public static implicit operator ReceivedBytes(byte[] bytes) => new(bytes.AsSpan());

    /// <summary>Some of them.</summary>
    /// <param name="part">Within <see cref="Span"/>.</param>
    public ReceivedBytes Part(ReadOnlySpan<byte> part) => new(part, _own);

    /// <summary>The bytes for as long as they are wanted.</summary>
    public ByteString ToByteString()
    {
        if (Span.Length < UnclearedFrom)
            return ByteString.CopyFrom(Span);
        // A part that is not nearly the whole message would keep all of it.
        if (_own is not null && Span.Length >= LargeParts.From && Span.Length >= _own.Length / 4 * 3 && Span.Overlaps(_own, out var start))
            return UnsafeByteOperations.UnsafeWrap(_own.AsMemory(-start, Span.Length));
        // ByteString.CopyFrom would clear the array first.
        var copy = LargeArrays.Allocate(Span.Length);
        Span.CopyTo(copy);
        return UnsafeByteOperations.UnsafeWrap(copy);
    }
}
