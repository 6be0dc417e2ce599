using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Contracts;

namespace Orchestrator.Cli.Commands;

/// <summary>What a verb works with: its parsed options, the terminal, and the way to the coordinator.</summary>
internal sealed class CommandContext(ParseResult parsed)
{
    private static readonly JsonFormatter Lines = new(
        JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithFormatDefaultValues(false));

    private static readonly JsonFormatter Pages = new(
        JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithFormatDefaultValues(false).WithIndentation());

    public Terminal Terminal { get; } = new(
        parsed.GetValue(CommonOptions.Output) == "json", parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);

    /// <summary>The verb and its sub-verb.</summary>
    public IEnumerable<string> Words => parsed.CommandResult.Parent is System.CommandLine.Parsing.CommandResult { Parent: not null } parent
        ? [parent.Command.Name, parsed.CommandResult.Command.Name]
        : [parsed.CommandResult.Command.Name];

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>The data directory that the options name, or the usual one.</summary>
    /// <exception cref="UsageException">None is named, and there is no usual one.</exception>
    public string NamedDirectory() =>
        Get(CommonOptions.DataDirectory) is { Length: > 0 } named ? Path.GetFullPath(named)
        : ProtocolConstants.DefaultDataDirectory() is { Length: > 0 } usual ? usual
        : throw new UsageException($"There is no home directory here to have the usual data directory in: name one with --data-dir or {ProtocolConstants.DataDirectoryVariable}.");

    public Task<OrchestratorClient> ConnectAsync(CancellationToken token) => OrchestratorClient.ConnectAsync(ClientOptions(), token);

    public OrchestratorClientOptions ClientOptions() => new()
    {
        Endpoint = Get(CommonOptions.Endpoint),
        Token = Get(CommonOptions.Token),
        DataDirectory = Get(CommonOptions.DataDirectory),
        CertificateAuthority = Get(CommonOptions.CertificateAuthority),
        Certificate = Get(CommonOptions.Certificate),
        Key = Get(CommonOptions.Key),
    };

    /// <summary>One message of the contract, in the JSON that any gRPC tool would show.</summary>
    public void WriteJson(IMessage message) => Terminal.Line(Pages.Format(message));

    /// <summary>The same, as part of something larger.</summary>
    public static JsonNode? ToJson(IMessage message) => JsonNode.Parse(Lines.Format(message));

    /// <summary>Messages one per line, as they come.</summary>
    public void WriteJsonLine(IMessage message) => Terminal.Line(ToJsonLine(message));

    /// <summary>One message on one line.</summary>
    public static string ToJsonLine(IMessage message) => Lines.Format(message);

    public void WriteJson(IEnumerable<IMessage> messages) =>
        Terminal.Line("[" + string.Join(",", messages.Select(message => "\n" + Pages.Format(message))) + "\n]");
}
