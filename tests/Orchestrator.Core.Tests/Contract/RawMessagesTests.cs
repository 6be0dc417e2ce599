using Google.Protobuf;
using Google.Protobuf.Reflection;
using Orchestrator.Transport.RawMessages;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>The raw messages are the contract's messages read differently: the same fields, and the same bytes both ways.</summary>
public sealed class RawMessagesTests
{
    private const string Prefix = "Raw";

    private static readonly Dictionary<string, MessageDescriptor> Public = ContractFiles
        .Of(ContractFiles.Public, ContractFiles.Worker)
        .SelectMany(file => file.MessageTypes)
        .ToDictionary(message => message.Name);

    private static readonly Dictionary<string, MessageDescriptor> Raw = ContractFiles
        .Of(ContractFiles.RawMessages)
        .SelectMany(file => file.MessageTypes)
        .ToDictionary(message => message.Name);

    public static TheoryData<string> Messages => [.. Raw.Keys.Order()];

    [Theory]
    [MemberData(nameof(Messages))]
    public void Each_field_is_the_contracts(string name)
    {
        var (raw, counterpart) = (Raw[name], Public[name[Prefix.Length..]]);
        Assert.Equal(
            counterpart.Fields.InFieldNumberOrder().Where(field => !IsReserved(raw, field.FieldNumber)).Select(Shape),
            raw.Fields.InFieldNumberOrder().Select(Shape));
        foreach (var field in raw.Fields.InFieldNumberOrder())
            CheckType(field, counterpart.FindFieldByNumber(field.FieldNumber));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_round_trip_either_way_gives_the_same_bytes(string name)
    {
        var (raw, counterpart) = (Raw[name], Public[name[Prefix.Length..]]);
        for (var variant = 1; variant <= 24; variant++)
        {
            var original = MessageFiller.Fill(counterpart, variant);
            foreach (var field in counterpart.Fields.InFieldNumberOrder().Where(field => IsReserved(raw, field.FieldNumber)))
                field.Accessor.Clear(original);
            var bytes = original.ToByteString();
            var passed = raw.Parser.ParseFrom(bytes);
            Assert.Equal(bytes, passed.ToByteString());
            Assert.Equal(original, counterpart.Parser.ParseFrom(passed.ToByteString()));
            Assert.Equal(bytes, counterpart.Parser.ParseFrom(passed.ToByteString()).ToByteString());
            // No field was carried along as an unknown field of the raw message.
            Assert.Equal(bytes.Length, raw.Parser.WithDiscardUnknownFields(true).ParseFrom(bytes).CalculateSize());
        }
    }

    [Fact]
    public void What_is_left_out_is_what_is_read_and_written_by_hand() => Assert.Equal(
        [
            ("RawExecuteRequest", RawAssignment.Field),
            ("RawExecuteResponse", RawAttemptResult.Field),
            ("RawStreamTasksRequest", RawTaskView.Field),
            ("RawStreamTasksResponse", PlainTaskResult.Field),
        ],
        Raw.Values.SelectMany(raw => Public[raw.Name[Prefix.Length..]].Fields.InFieldNumberOrder()
            .Where(field => IsReserved(raw, field.FieldNumber))
            .Select(field => (raw.Name, field.FieldNumber))).Order());

    [Fact]
    public void An_empty_sub_message_reads_as_absent()
    {
        // Bytes have no presence outside a oneof. Nothing is lost: an empty Payload means the same as none, and empty options the same as
        // none.
        var spec = new V1.TaskSpec { Handler = "h", Input = new V1.Payload(), Options = new V1.TaskOptions() };
        var passed = RawTaskSpec.Parser.ParseFrom(spec.ToByteString());
        Assert.Equal((0, 0), (passed.Input.Length, passed.Options.Length));
        Assert.Equal(new V1.TaskSpec { Handler = "h" }, V1.TaskSpec.Parser.ParseFrom(passed.ToByteString()));
    }

    private static bool IsReserved(MessageDescriptor message, int number) =>
        message.ToProto().ReservedRange.Any(range => range.Start <= number && number < range.End);

    private static string Shape(FieldDescriptor field)
    {
        var label = field.IsRepeated ? field.IsPacked ? "packed" : "repeated" : "single";
        return $"{field.FieldNumber} {label} {WireType(field)} {field.Name} {field.RealContainingOneof?.Name}";
    }

    /// <summary>Compares more than the wire type: the same scalar, the same message, its raw form, or its bytes.</summary>
    private static void CheckType(FieldDescriptor raw, FieldDescriptor counterpart)
    {
        switch (counterpart.FieldType)
        {
            case FieldType.Message when raw.FieldType == FieldType.Bytes:
                break;
            case FieldType.Message:
                Assert.Contains(
                    raw.MessageType, new[] { counterpart.MessageType, Raw.GetValueOrDefault(Prefix + counterpart.MessageType.Name) });
                break;
            case FieldType.Enum:
                Assert.Same(counterpart.EnumType, raw.EnumType);
                break;
            default:
                Assert.Equal(counterpart.FieldType, raw.FieldType);
                break;
        }
    }

    private static string WireType(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Message or FieldType.Bytes or FieldType.String => "length-delimited",
        FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => "64-bit",
        FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => "32-bit",
        FieldType.Group => "group",
        _ => "varint",
    };
}
