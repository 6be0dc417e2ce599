using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Orchestrator.TestKit;

/// <summary>
/// Well-formed messages with random content: any field may be set, with values at the edges. The same seed gives the same messages.
/// </summary>
public static class RandomMessages
{
    private const int Deepest = 6;

    private static readonly string[] s_texts = ["", "a", "echo", "-", "..", "task-1-1", "worker-1", "\0", "é", "☃", new('n', 200),
        new('x', 3_000), "{}", "a/b", "$.a[0]", "%", "1"];

    private static readonly long[] s_numbers =
        [0, 1, -1, 2, 3, 7, 100, 65_536, int.MaxValue, int.MinValue, 1L << 53, long.MaxValue, long.MinValue];

    /// <summary>A message of this type.</summary>
    public static IMessage Make(MessageDescriptor type, Random random) => Make(type, random, 0);

    private static IMessage Make(MessageDescriptor type, Random random, int depth)
    {
        var message = type.Parser.ParseFrom([]);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            if (random.Next(2) == 0 || (depth >= Deepest && field.FieldType == FieldType.Message))
                continue;
            if (field.IsMap)
                continue;
            if (!field.IsRepeated)
            {
                field.Accessor.SetValue(message, Value(field, random, depth));
                continue;
            }

            var list = (System.Collections.IList)field.Accessor.GetValue(message);
            for (var count = random.Next(4); count > 0; count--)
                list.Add(Value(field, random, depth));
        }

        return message;
    }

    private static object Value(FieldDescriptor field, Random random, int depth)
    {
        var number = s_numbers[random.Next(s_numbers.Length)];
        return field.FieldType switch
        {
            FieldType.Message => Make(field.MessageType, random, depth + 1),
            FieldType.String => s_texts[random.Next(s_texts.Length)],
            FieldType.Bytes => ByteString.CopyFrom(new byte[random.Next(50)]),
            FieldType.Bool => random.Next(2) == 0,
            FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(8) == 0 ? (int)number : random.Next(6)),
            FieldType.Double =>
                random.Next(4) switch { 0 => double.NaN, 1 => double.PositiveInfinity, 2 => number, _ => random.NextDouble() },
            FieldType.Float => (float)number,
            FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)number,
            FieldType.UInt32 or FieldType.Fixed32 => (uint)number,
            FieldType.UInt64 or FieldType.Fixed64 => (ulong)number,
            _ => number,
        };
    }
}
