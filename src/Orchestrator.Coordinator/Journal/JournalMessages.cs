using Google.Protobuf;

namespace Orchestrator.Coordinator.Journal;

/// <summary>Reads messages of the journal, which reads whatever it was allowed to write.</summary>
internal static class JournalMessages
{
    // Generated code gives up at a hundred messages inside each other unless told otherwise. Earlier versions took payloads from a request of that depth, and
    // wrote them into a record with more around them.
    private const int MaxDepth = 200;

    /// <summary>The message of these bytes.</summary>
    /// <exception cref="InvalidProtocolBufferException">They are no such message.</exception>
    public static T Parse<T>(MessageParser<T> parser, ArraySegment<byte> bytes)
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes.AsSpan());
        }
        catch (InvalidProtocolBufferException)
        {
            // Only a stream can be read with another limit, which is slower; nearly none is so deep.
            using var stream = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count);
            return parser.ParseFrom(CodedInputStream.CreateWithLimits(stream, int.MaxValue, MaxDepth));
        }
    }
}
