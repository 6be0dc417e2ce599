using Google.Protobuf;
using Orchestrator.V1;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>One mapped handler.</summary>
public sealed class RegisteredTask
{
    private readonly ByteString? _example;

    internal RegisteredTask(string name, HandlerKind kind, TaskInvoker invoker, string? description, string? exampleJson)
    {
        Name = name;
        Kind = kind;
        Invoker = invoker;
        Description = description ?? "";
        _example = exampleJson is null ? null : ParseExample(name, exampleJson);
    }

    /// <summary>The name by which tasks request it.</summary>
    public string Name { get; }

    /// <summary>The lane it runs in.</summary>
    public HandlerKind Kind { get; }

    /// <summary>One line for people; may be empty.</summary>
    public string Description { get; }

    internal TaskInvoker Invoker { get; }

    /// <summary>As the worker announces it in its Hello.</summary>
    public HandlerInfo ToHandlerInfo()
    {
        var info = new HandlerInfo { Name = Name, Kind = (Orchestrator.V1.TaskKind)(int)Kind, Description = Description };
        if (_example is not null)
            info.ExampleInput = Payload.Parser.ParseFrom(_example);
        return info;
    }

    private static ByteString ParseExample(string name, string json)
    {
        try
        {
            return PayloadCodec.EncodeJsonText(System.Text.Encoding.UTF8.GetBytes(json));
        }
        catch (System.Text.Json.JsonException e)
        {
            throw new ArgumentException($"The example input of '{name}' is not valid JSON: {e.Message}", nameof(json), e);
        }
    }
}
