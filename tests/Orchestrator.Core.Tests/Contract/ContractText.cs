using System.Globalization;
using System.Text;
using Google.Protobuf.Reflection;

namespace Orchestrator.Core.Tests.Contract;

/// <summary>Descriptors as text that changes exactly when the wire format or its JSON form changes.</summary>
internal sealed class ContractText
{
    private readonly StringBuilder _text = new();

    public static string Render(IEnumerable<FileDescriptor> files)
    {
        var text = new ContractText();
        foreach (var file in files)
            text.Add(file);
        return text._text.ToString();
    }

    private void Add(FileDescriptor file)
    {
        Line(0, $"file {file.Name} package {file.Package}");
        foreach (var service in file.Services)
        {
            Line(1, $"service {service.Name}");
            foreach (var method in service.Methods)
                Line(2, $"rpc {method.Name} ({Stream(method.IsClientStreaming)}{method.InputType.FullName}) → " +
                    $"({Stream(method.IsServerStreaming)}{method.OutputType.FullName})");
        }

        foreach (var message in file.MessageTypes)
            Add(1, message);
        foreach (var type in file.EnumTypes)
            Add(1, type);
        _text.Append('\n');
    }

    private void Add(int depth, MessageDescriptor message)
    {
        // The map's own field describes the map entry.
        if (message.GetOptions()?.MapEntry ?? false)
            return;
        Line(depth, $"message {message.Name}");
        foreach (var field in message.Fields.InFieldNumberOrder())
            Line(depth + 1, Describe(field));
        foreach (var range in message.ToProto().ReservedRange)
            Line(depth + 1, $"reserved {range.Start}…{range.End - 1}");
        foreach (var name in message.ToProto().ReservedName)
            Line(depth + 1, $"reserved {name}");
        foreach (var nested in message.NestedTypes)
            Add(depth + 1, nested);
        foreach (var type in message.EnumTypes)
            Add(depth + 1, type);
    }

    private void Add(int depth, EnumDescriptor type)
    {
        Line(depth, $"enum {type.Name}");
        foreach (var value in type.Values)
            Line(depth + 1, $"{value.Number} {value.Name}");
    }

    private static string Describe(FieldDescriptor field)
    {
        var label = field.IsMap ? "" : field.IsRepeated ? "repeated " : field.HasPresence && field.FieldType != FieldType.Message
            && field.RealContainingOneof is null ? "optional " : "";
        var oneof = field.RealContainingOneof is { } real ? $" (oneof {real.Name})" : "";
        var json = field.JsonName == Camel(field.Name) ? "" : $" (json {field.JsonName})";
        return string.Create(CultureInfo.InvariantCulture, $"{field.FieldNumber} {label}{TypeOf(field)} {field.Name}{oneof}{json}");
    }

    private static string TypeOf(FieldDescriptor field) => field switch
    {
        { IsMap: true } => $"map<{TypeOf(field.MessageType.FindFieldByNumber(1))}, {TypeOf(field.MessageType.FindFieldByNumber(2))}>",
        { FieldType: FieldType.Message } => field.MessageType.FullName,
        { FieldType: FieldType.Enum } => field.EnumType.FullName,
        _ => field.FieldType.ToString().ToLowerInvariant(),
    };

    private static string Camel(string name)
    {
        var words = name.Split('_');
        return words[0] + string.Concat(
            words.Skip(1).Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static string Stream(bool isStream) => isStream ? "stream " : "";

    private void Line(int depth, string line) => _text.Append(' ', depth * 2).Append(line).Append('\n');
}
