using System.Text.Json;

namespace Orchestrator.Worker.Tasks;

/// <summary>How a mapped handler is run and shown, and how its input and output are serialized.</summary>
public sealed record TaskHandlerOptions
{
    /// <summary>
    /// The lane it runs in. Null chooses by the handler's form: <see cref="HandlerKind.Cpu"/> if it returns its output,
    /// <see cref="HandlerKind.Io"/> if it returns a task or is a generator. A handler that blocks its thread while it waits needs
    /// <see cref="HandlerKind.Blocking"/>.
    /// </summary>
    public HandlerKind? Kind { get; init; }

    /// <summary>One line for people, shown in listings of handlers.</summary>
    public string? Description { get; init; }

    /// <summary>An example input as JSON text, shown in listings of handlers.</summary>
    public string? Example { get; init; }

    /// <summary>
    /// How the input and the output are read and written; null for the options of the program's handlers
    /// (<see cref="TaskHandlerRegistry.JsonOptions"/>). With the options of a generated context, such as <c>MyJson.Default.Options</c>, no
    /// reflection is used.
    /// </summary>
    public JsonSerializerOptions? Json { get; init; }
}
