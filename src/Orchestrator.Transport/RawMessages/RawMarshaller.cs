using Google.Protobuf;
using Grpc.Core;

namespace Orchestrator.Transport.RawMessages;

/// <summary>Marshallers that read from and write to the transport's own buffers, as generated gRPC code does.</summary>
internal static class RawMarshaller
{
    public static Marshaller<T> For<T>(MessageParser<T> parser)
        where T : class, IBufferMessage, IMessage<T> =>
        Marshallers.Create<T>(
            static (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
}
