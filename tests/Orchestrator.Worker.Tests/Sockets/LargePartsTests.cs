using System.Buffers;
using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Transport.Sockets;
using Orchestrator.V1;
using Orchestrator.Worker.V1;

namespace Orchestrator.Worker.Tests.Sockets;

/// <summary>Large payloads are sent from where they are and kept where they arrived, and the bytes on the wire are as ever.</summary>
public sealed class LargePartsTests
{
    public static TheoryData<int> Seeds => new(Enumerable.Range(1, 8));

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Messages_and_frames_with_large_payloads_are_the_same_bytes_as_generated(int seed)
    {
        var random = new Random(seed);
        var (assignments, results, mixed) = (new ExecuteRequest(), new ExecuteResponse(), new StreamTasksResponse());
        var (first, second, third) = (new MessageBuffer(), new MessageBuffer(), new MessageBuffer());
        for (var i = 0; i < 8; i++)
        {
            var payload = APayload(random);
            var (id, name) = ((ulong)random.NextInt64(), new string('x', random.Next(0, 200)));
            assignments.Assignments.Add(new Assignment { TaskId = id, Attempt = i, Handler = name, Input = AsPayload(payload), Slot = 7 });
            first.Add(
                RawAssignment.Field,
                new RawAssignment { TaskId = id, Attempt = i, Handler = name, Input = payload, Slot = 7 });
            results.Results.Add(new AttemptResult { TaskId = id, Attempt = i, Output = AsPayload(payload), AllocatedBytes = id });
            second.Add(
                RawAttemptResult.Field,
                new RawAttemptResult { TaskId = id, Attempt = i, Output = payload, AllocatedBytes = id });
            mixed.Results.Add(new TaskResult
            {
                TaskId = id,
                Tag = 3,
                State = TaskState.Succeeded,
                Output = AsPayload(payload),
                Worker = name,
                Attempt = i,
            });
            third.Add(PlainTaskResult.Field, new PlainTaskResult(id, 3, TaskState.Succeeded, payload, name, i));
        }

        results.Vitals = new Vitals { Threads = 3 };
        second.Append(new ExecuteResponse { Vitals = results.Vitals });
        Assert.Equal(assignments.ToByteArray(), Content(first));
        Assert.Equal(results.ToByteArray(), Content(second));
        Assert.Equal(mixed.ToByteArray(), Content(third));
        var writer = new FrameWriter();
        foreach (var again in (bool[])[false, true])
        {
            writer.Add(FrameKind.Open, [1, 2, 3]);
            writer.Add(first, MessageBuffer.Marshaller);
            writer.Add(third, MessageBuffer.Marshaller);
            writer.Add(FrameKind.HalfClose, []);
            Assert.Equal(
                [(byte)FrameKind.Open, 0, 0, 0, 3, 1, 2, 3, .. first.WithPrefix().ToArray(), .. third.WithPrefix().ToArray(),
                    (byte)FrameKind.HalfClose, 0, 0, 0, 0],
                writer.Frames.ToArray());
            writer.Clear();
        }

        foreach (var message in (MessageBuffer[])[first, second, third])
        {
            message.Clear();
            Assert.Equal(0, message.Length);
            message.Append(new Vitals { Threads = 1 });
            Assert.Equal(new Vitals { Threads = 1 }.ToByteArray(), Content(message));
        }
    }

    [Fact]
    public void Over_grpc_they_are_the_same_bytes_too()
    {
        var message = new MessageBuffer();
        message.Add(
            RawAttemptResult.Field, new RawAttemptResult { TaskId = 1, Output = ByteString.CopyFrom(new byte[LargeParts.From]) });
        var context = new Serialization();
        MessageBuffer.Marshaller.ContextualSerializer(message, context);
        Assert.Equal(Content(message), context.Written.WrittenSpan);
        Assert.Equal(message.Length, context.Length);
    }

    [Theory]
    // The payload has a tag and a length of its own.
    [InlineData(LargeParts.From - 5, 0, false)]
    [InlineData(LargeParts.From - 4, 0, true)]
    [InlineData(1_000_000, 100_000, true)]
    [InlineData(1_000_000, 500_000, false)]
    public void A_payload_that_is_nearly_its_whole_message_is_kept_where_it_arrived(int size, int rest, bool isKept)
    {
        var payload = new byte[size];
        new Random(1).NextBytes(payload);
        var result = new AttemptResult { TaskId = 1, Output = new Payload { Data = UnsafeByteOperations.UnsafeWrap(payload) } };
        byte[] array = [.. new ExecuteResponse { Results = { result } }.ToByteArray(), .. new byte[rest]];
        var length = array.Length - rest;
        foreach (var isOwn in (bool[])[false, true])
        {
            var items = new RepeatedFieldReader<RawExecuteResponse>(
                isOwn ? new ReceivedBytes(array, 0, length) : new ReceivedBytes(array.AsSpan(0, length)), RawAttemptResult.Field);
            Assert.True(items.Next(out var item));
            var output = RawAttemptResult.Read(item).Output;
            Assert.Equal(payload, Payload.Parser.ParseFrom(output).Data.ToByteArray());
            Assert.Equal(isKept && isOwn, output.Span.Overlaps(array));
        }
    }

    private static ByteString APayload(Random random)
    {
        var data = new byte[random.Next(4) switch
        {
            0 => 0,
            1 => random.Next(1, 200),
            2 => random.Next(30_000, 36_000),
            _ => random.Next(300_000),
        }];
        random.NextBytes(data);
        return new Payload { Data = ByteString.CopyFrom(data) }.ToByteString();
    }

    private static Payload AsPayload(ByteString bytes) => Payload.Parser.ParseFrom(bytes);

    private static byte[] Content(MessageBuffer message) => message.WithPrefix().Slice(MessageBuffer.PrefixBytes).ToArray();

    private sealed class Serialization : SerializationContext
    {
        public ArrayBufferWriter<byte> Written { get; } = new();

        public int Length { get; private set; }

        public override void SetPayloadLength(int payloadLength) => Length = payloadLength;

        public override IBufferWriter<byte> GetBufferWriter() => Written;

        public override void Complete()
        {
        }
    }
}
