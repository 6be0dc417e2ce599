using System.Buffers;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.V1;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>The hand-written codecs agree with the generated classes: byte for byte when writing, field for field when reading.</summary>
public sealed class ItemCodecTests
{
    private static readonly NameTable Names = new();

    private static readonly Gen<ulong> Number = Gen.OneOf(Gen.Const(0ul), Gen.ULong[1, 300], Gen.ULong);

    private static readonly Gen<int> Int = Gen.OneOf(Gen.Const(0), Gen.Int[-300, 300], Gen.Int);

    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.Const(""), Gen.String[Gen.Char.AlphaNumeric, 1, 20], Gen.String[Gen.Int[0, 3].Select(i => "aé漢\ud7ff"[i]), 1, 300]);

    // Encoded Payloads of the sizes at which the length prefix grows by one byte.
    private static readonly Gen<V1.Payload?> Payload = Gen.OneOf(Gen.Const(0), Gen.Int[1, 20], Gen.Int[30, 150], Gen.Int[16_200, 16_400])
        .Select(size => size == 0 ? null : new V1.Payload { Data = ByteString.CopyFrom(new byte[size]) });

    private static readonly Gen<Duration?> Time = Gen.OneOf(
        Gen.Const((Duration?)null), Gen.Const((Duration?)new Duration()), Gen.Select(
            Gen.Long, Int, (seconds, nanos) => (Duration?)new Duration { Seconds = seconds, Nanos = nanos }));

    private static readonly Gen<V1.TaskError?> Error = Gen.OneOf(
        Gen.Const((V1.TaskError?)null), Gen.Select(Text, Text,
            (message, type) => (V1.TaskError?)new V1.TaskError { Reason = V1.ErrorReason.Invalid, Message = message, Type = type }));

    private static readonly Gen<Assignment> AnAssignment = Gen.Select(
        Gen.Select(Number, Int, Text, Payload), Gen.Select(Time, Text, Text), Gen.Select(Gen.UInt, Gen.Bool), (a, b, c) => new Assignment
        {
            TaskId = a.Item1,
            Attempt = a.Item2,
            Handler = a.Item3,
            Input = a.Item4,
            RunTimeout = b.Item1,
            SessionId = b.Item2,
            Traceparent = b.Item3,
            Slot = c.Item1,
            Timing = c.Item2,
        });

    private static readonly Gen<AttemptResult> AResult = Gen.Select(
        Gen.Select(Number, Int, Payload, Error), Gen.Select(Time, Time, Number, Number), (a, b) => new AttemptResult
        {
            TaskId = a.Item1,
            Attempt = a.Item2,
            Output = a.Item3,
            Error = a.Item4,
            Run = b.Item1,
            CpuTime = b.Item2,
            AllocatedBytes = b.Item3,
            EndedAt = b.Item4,
        });

    private static readonly Gen<V1.TaskSpec> ASpec = Gen.Select(
        Text, Payload, Gen.Int[-5, 5], Number, Text, Text, (handler, input, priority, tag, id, trace) => new V1.TaskSpec
        {
            Handler = handler,
            Input = input,
            Options = priority > 0
                ? new V1.TaskOptions { Priority = priority } : null,
            Tag = tag,
            RequestId = id,
            Traceparent = trace,
        });

    [Fact]
    public void Assignments_are_written_and_read_as_generated() =>
        Gen.Select(AnAssignment.Array[0, 4], Gen.Bool).Sample((originals, drain) =>
    {
        var expected = new ExecuteRequest { Assignments = { originals }, Drain = drain };
        var message = new MessageBuffer();
        var items = new RepeatedFieldReader<RawExecuteRequest>(expected.ToByteArray(), RawAssignment.Field);
        while (items.Next(out var item))
            message.Add(RawAssignment.Field, RawAssignment.Read(item, Names));
        if (items.Rest is not null)
            message.Append(items.Rest);
        Assert.Equal(drain, items.Rest is { Drain: true });
        Assert.Equal(expected.ToByteArray(), Bytes(message));
    });

    [Fact]
    public void Results_are_written_and_read_as_generated() => Gen.Select(AResult.Array[0, 4], Gen.Bool).Sample((originals, beats) =>
    {
        var expected = new ExecuteResponse { Results = { originals }, Vitals = beats ? new Vitals { Threads = 3 } : null };
        var message = new MessageBuffer();
        var items = new RepeatedFieldReader<RawExecuteResponse>(expected.ToByteArray(), RawAttemptResult.Field);
        while (items.Next(out var item))
            message.Add(RawAttemptResult.Field, RawAttemptResult.Read(item));
        if (items.Rest is not null)
            message.Append(items.Rest);
        Assert.Equal(expected.ToByteArray(), Bytes(message));
    });

    [Fact]
    public void Submissions_are_read_as_generated() => ASpec.Array[0, 4].Sample(originals =>
    {
        var request = new V1.StreamTasksRequest { Tasks = { originals }, CancelTags = { 7, 8 } };
        var items = new RepeatedFieldReader<RawStreamTasksRequest>(request.ToByteArray(), RawTaskView.Field);
        foreach (var original in originals)
        {
            Assert.True(items.Next(out var item));
            Check(RawTaskSpec.Parser.ParseFrom(original.ToByteArray()), RawTaskView.Read(item));
        }

        Assert.False(items.Next(out _));
        Assert.Equal([7ul, 8], items.Rest!.CancelTags);
    });

    [Fact]
    public void Plain_results_are_written_as_generated() =>
        Gen.Select(Gen.Select(Number, Number, Gen.Int[0, 6]), Gen.Select(Payload, Text, Int)).Array[0, 4].Sample(all =>
        {
            var expected = new V1.StreamTasksResponse();
            var message = new MessageBuffer();
            foreach (var ((id, tag, state), (output, worker, attempt)) in all)
            {
                expected.Results.Add(new V1.TaskResult
                {
                    TaskId = id,
                    Tag = tag,
                    State = (V1.TaskState)state,
                    Output = output,
                    Worker = worker,
                    Attempt = attempt
                });
                message.Add(PlainTaskResult.Field, new PlainTaskResult(
                    id, tag, (V1.TaskState)state, output?.ToByteString() ?? ByteString.Empty, worker, attempt));
                // As it is written when there are more fields.
                var full = new RawTaskResult { TaskId = id, Error = new V1.TaskError { Message = worker } };
                expected.Results.Add(V1.TaskResult.Parser.ParseFrom(full.ToByteArray()));
                message.Add(PlainTaskResult.Field, new MessageItem(full));
            }

            message.Append(new RawStreamTasksResponse { Credits = 9 });
            expected.Credits = 9;
            Assert.Equal(expected.ToByteArray(), Bytes(message));
            message.Clear();
            Assert.Equal(0, message.Length);
        });

    [Fact]
    public void Fields_in_any_order_twice_unknown_or_broken_read_as_generated()
    {
        // Whole fields of the real message and of others, in any order; then some bytes are changed or cut off.
        Gen.Select(AnAssignment, AResult, ASpec, Gen.Int.Array[0, 12], Gen.Select(Gen.Int[0, 3], Gen.Int, Gen.Byte)).Sample(
            (assignment, result, spec, order, harm) =>
        {
            var bytes = Mix(assignment, order, harm);
            Both(
                () => Canonical(Assignment.Parser.ParseFrom(bytes), message => message.Input = null),
                () => RawAssignment.Read(bytes, Names) is var read && read.Input is var payload
                    ? (Canonical(Assignment.Parser.ParseFrom(Written(read with { Input = ByteString.Empty }))), !payload.IsEmpty)
                    : default);
            bytes = Mix(result, order, harm);
            Both(
                () => Canonical(AttemptResult.Parser.ParseFrom(bytes), message => message.Output = null),
                () => RawAttemptResult.Read(bytes) is var read && read.Output is var payload
                    ? (Canonical(AttemptResult.Parser.ParseFrom(Written(read with { Output = ByteString.Empty }))), !payload.IsEmpty)
                    : default);
            bytes = Mix(spec, order, harm);
            Both(
                () => Canonical(RawTaskSpec.Parser.ParseFrom(bytes)),
                () => RawTaskView.Read(bytes) is var read ? (Canonical(ToMessage(read)), false) : default);
        }, iter: Iterations.Of(8_000));
    }

    [Fact]
    public void A_name_is_the_same_string_each_time()
    {
        var names = new NameTable();
        Assert.Same(names.Get("handler-1"u8), names.Get("handler-1"u8));
        // More names than the cache holds, and longer ones than it keeps: each lookup returns the requested name.
        Gen.String[Gen.Char.AlphaNumeric, 0, 200].Sample(
            text => Assert.Equal(text, names.Get(System.Text.Encoding.UTF8.GetBytes(text))), threads: 4);
        Assert.Throws<InvalidDataException>(() => names.Get([0xff, 0xfe]));
    }

    /// <summary>The known fields as text, without the payload, which is a message in one form and bytes in the other.</summary>
    private static string Canonical<T>(T message, Action<T>? removePayload = null)
        where T : class, IMessage<T>
    {
        removePayload?.Invoke(message);
        var known = message.Descriptor.Parser.WithDiscardUnknownFields(true).ParseFrom(message.ToByteArray());
        return Convert.ToHexString(known.ToByteArray());
    }

    private static byte[] Written<T>(T item)
        where T : struct, IWireItem
    {
        var message = new MessageBuffer();
        message.Add(1, item);
        var items = new RepeatedFieldReader<Empty>(message.Content, 1);
        Assert.True(items.Next(out var bytes));
        return bytes.Span.ToArray();
    }

    private static byte[] Bytes(MessageBuffer message) => message.WithPrefix().Slice(MessageBuffer.PrefixBytes).ToArray();

    private static void Check(RawTaskSpec expected, RawTaskView actual) => Assert.Equal(expected, ToMessage(actual));

    private static RawTaskSpec ToMessage(RawTaskView view) => new()
    {
        Handler = FieldReader.Decode(view.Handler),
        Input = view.Input.ToByteString(),
        Options = ByteString.CopyFrom(view.Options),
        Tag = view.Tag,
        RequestId = FieldReader.Decode(view.RequestId),
        Traceparent = FieldReader.Decode(view.Traceparent),
    };

    private static void Both(Func<string> generated, Func<(string Text, bool HasPayload)> byHand)
    {
        string? expected = null;
        var refusal = "";
        try
        {
            expected = generated();
        }
        catch (InvalidProtocolBufferException exception)
        {
            refusal = exception.Message;
        }

        try
        {
            var (actual, hasPayload) = byHand();
            // Only the generated class parses the payload.
            if (expected is not null || !hasPayload)
                Assert.Equal(expected ?? refusal, actual);
        }
        catch (InvalidDataException) when (expected is null)
        {
        }
    }

    private static byte[] Mix(IMessage message, int[] order, (int Kind, int At, byte Value) harm)
    {
        var fields = FieldsOf(message);
        var bytes = new List<byte>();
        foreach (var i in order)
            bytes.AddRange(fields[(int)((uint)i % (uint)fields.Count)]);
        var at = bytes.Count == 0 ? 0 : (int)((uint)harm.At % (uint)bytes.Count);
        if (harm.Kind == 1)
            bytes.RemoveRange(at, bytes.Count - at);
        else if (harm.Kind == 2 && bytes.Count > 0)
            bytes[at] = harm.Value;
        return [.. bytes];
    }

    /// <summary>The fields of a message, and some that the message does not know.</summary>
    private static List<byte[]> FieldsOf(IMessage message)
    {
        var bytes = message.ToByteArray();
        List<byte[]> fields =
        [
            [0xa0, 0x06, 0x96, 0x01], // 100: a number
            [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8], // 100: 64 bits
            [0xa2, 0x06, 2, 0xff, 0xff], // 100: bytes
            [0xa3, 0x06, 0xa0, 0x06, 1, 0xab, 0x06, 0xac, 0x06, 0xa4, 0x06], // 100: a group in a group
            [0xa5, 0x06, 1, 2, 3, 4], // 100: 32 bits
            [0x08, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f], // 1: ten bytes
            [0x0d, 1, 2, 3, 4], // 1: of another type
        ];
        var reader = new FieldReader(bytes);
        while (!reader.AtEnd)
        {
            var from = reader.Position;
            reader.Skip(reader.ReadTag());
            fields.Add(bytes[from..reader.Position]);
        }

        return fields;
    }
}
