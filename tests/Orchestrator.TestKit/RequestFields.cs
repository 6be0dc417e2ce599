using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Orchestrator.V1;

namespace Orchestrator.TestKit;

/// <summary>The strings and lists of the contract's requests, and messages that hold only one of them.</summary>
public static class RequestFields
{
    /// <summary>The path to each string and list, at any depth; payloads have their own limits.</summary>
    public static IEnumerable<FieldDescriptor[]> PathsOf(MessageDescriptor message)
    {
        ArgumentNullException.ThrowIfNull(message);
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.String || field.IsRepeated)
                yield return [field];
            if (field.IsMap || field.FieldType != FieldType.Message || field.MessageType.File.Package != "orchestrator.v1"
                || field.MessageType.Name == nameof(Payload))
                continue;
            foreach (var rest in PathsOf(field.MessageType))
                yield return [field, .. rest];
        }
    }

    /// <summary>A message that holds only the field at the end of the path, with this length or this many elements.</summary>
    public static IMessage Build(FieldDescriptor[] path, int size, bool isLength)
    {
        ArgumentNullException.ThrowIfNull(path);
        var message = path[0].ContainingType.Parser.ParseFrom(ByteString.Empty);
        var field = path[0];
        if (path.Length > 1)
        {
            var inner = Build(path[1..], size, isLength);
            if (field.IsRepeated)
                ((IList)field.Accessor.GetValue(message)).Add(inner);
            else
                field.Accessor.SetValue(message, inner);
            return message;
        }

        var text = new string('x', size);
        if (isLength && field.IsRepeated)
        {
            ((IList)field.Accessor.GetValue(message)).Add(text);
        }
        else if (isLength)
        {
            field.Accessor.SetValue(message, text);
        }
        else if (field.IsMap)
        {
            var map = (IDictionary)field.Accessor.GetValue(message);
            for (var i = 0; i < size; i++)
                map.Add($"{i}", "");
        }
        else
        {
            var list = (IList)field.Accessor.GetValue(message);
            for (var i = 0; i < size; i++)
                list.Add(ElementOf(field, i));
        }

        return message;
    }

    private static object ElementOf(FieldDescriptor field, int index) => field.FieldType switch
    {
        FieldType.String => "x",
        FieldType.UInt64 => (ulong)index + 1,
        FieldType.Enum => TaskState.Running,
        FieldType.Message => field.MessageType.Parser.ParseFrom(ByteString.Empty),
        _ => throw new NotSupportedException($"{field.FullName} is a list of {field.FieldType}"),
    };
}
