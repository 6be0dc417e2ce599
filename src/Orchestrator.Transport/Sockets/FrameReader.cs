using System.Buffers;
using System.Runtime.InteropServices;
using Grpc.Core;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Transport.Sockets;

/// <summary>Reads the message of a frame.</summary>
internal sealed class FrameReader : DeserializationContext
{
    private ReadOnlyMemory<byte> _content;

    /// <inheritdoc/>
    public override int PayloadLength => _content.Length;

    /// <summary>Reads a message; the content is not kept.</summary>
    /// <param name="content">The content.</param>
    /// <param name="marshaller">Reads it.</param>
    /// <param name="isOwn">Whether the content may be kept after all.</param>
    public T Read<T>(ReadOnlyMemory<byte> content, Marshaller<T> marshaller, bool isOwn = false)
    {
        ArgumentNullException.ThrowIfNull(marshaller);
        if (isOwn && typeof(T) == typeof(MessageBuffer) && MemoryMarshal.TryGetArray(content, out var own))
            return (T)(object)MessageBuffer.Own(own);
        _content = content;
        try
        {
            return marshaller.ContextualDeserializer(this);
        }
        finally
        {
            _content = default;
        }
    }

    /// <inheritdoc/>
    public override byte[] PayloadAsNewBuffer() => _content.ToArray();

    /// <inheritdoc/>
    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(_content);
}
