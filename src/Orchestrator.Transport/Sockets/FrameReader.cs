using System.Buffers;
using Grpc.Core;

namespace Orchestrator.Transport.Sockets;

/// <summary>Reads the message of a frame.</summary>
internal sealed class FrameReader : DeserializationContext
{
    private ReadOnlyMemory<byte> _content;

    /// <inheritdoc/>
    public override int PayloadLength => _content.Length;

    /// <summary>Reads a message; the content is not kept.</summary>
    public T Read<T>(ReadOnlyMemory<byte> content, Marshaller<T> marshaller)
    {
        ArgumentNullException.ThrowIfNull(marshaller);
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
