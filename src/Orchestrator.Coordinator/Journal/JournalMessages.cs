using Google.Protobuf;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Parses messages of the journal: every message that any version could write must be readable.</summary>
internal static class JournalMessages
{
    // By default, generated code rejects a nesting depth of more than a hundred messages. Earlier versions accepted request payloads of
    // that depth and wrote them into records that nest them deeper.
    private const int MaxDepth = 200;

    /// <summary>Parses a message from these bytes.</summary>
    /// <exception cref="InvalidProtocolBufferException">The bytes are not a message of this type.</exception>
    public static T Parse<T>(MessageParser<T> parser, ArraySegment<byte> bytes)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes.AsSpan());
        }
        catch (InvalidProtocolBufferException)
        {
            // Only a stream can be parsed with another limit, which is slower; hardly any message is that deep.
            using var stream = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count);
            return parser.ParseFrom(CodedInputStream.CreateWithLimits(stream, int.MaxValue, MaxDepth));
        }
    }
}
