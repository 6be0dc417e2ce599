using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>Fills messages of any type with values that differ by variant: the case of a oneof, the number of items, their size.</summary>
internal static class MessageFiller
{
    private const int MaxDepth = 5;

    public static IMessage Fill(MessageDescriptor type, int variant, int depth = 0)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InFieldNumberOrder())
        {
            if (field.RealContainingOneof is { } oneof && oneof.Fields[variant % oneof.Fields.Count] != field)
                continue;
            if (depth >= MaxDepth && field.FieldType == FieldType.Message)
                continue;
            if (field.IsMap)
                FillMap(message, field, variant, depth);
            else if (field.IsRepeated)
                FillList(message, field, variant, depth);
            else
                field.Accessor.SetValue(message, ValueOf(field, variant + field.FieldNumber, depth));
        }

        return message;
    }

    private static void FillMap(IMessage message, FieldDescriptor field, int variant, int depth)
    {
        var map = (IDictionary)field.Accessor.GetValue(message);
        var (key, value) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
        for (var i = 0; i < variant % 3; i++)
            map[ValueOf(key, variant + i, depth)] = ValueOf(value, variant + i, depth);
    }

    private static void FillList(IMessage message, FieldDescriptor field, int variant, int depth)
    {
        var list = (IList)field.Accessor.GetValue(message);
        for (var i = 0; i < variant % 4; i++)
            list.Add(ValueOf(field, variant + i, depth));
    }

    private static object ValueOf(FieldDescriptor field, int variant, int depth) => field.FieldType switch
    {
        FieldType.Message => Fill(field.MessageType, variant, depth + 1),
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, field.EnumType.Values[variant % field.EnumType.Values.Count].Number),
        FieldType.String => $"text-{variant}",
        FieldType.Bytes => ByteString.CopyFrom(new byte[variant * 37]),
        FieldType.Bool => variant % 2 == 0,
        FieldType.Double => variant * 0.5,
        FieldType.Float => variant * 0.25f,
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => variant % 2 == 0 ? variant : -variant,
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => variant * -4_000_000_000L,
        FieldType.UInt32 or FieldType.Fixed32 => (uint)variant * 300,
        FieldType.UInt64 or FieldType.Fixed64 => (ulong)variant << 40,
        _ => throw new NotSupportedException($"{field.FullName} is a {field.FieldType}"),
    };
}
