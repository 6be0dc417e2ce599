using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Connection;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Commands;

/// <summary>The context of a verb: its parsed options, the terminal, and the connection to the coordinator.</summary>
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

    /// <summary>This process's own arguments, parsed again: a file that they name may have changed.</summary>
    /// <exception cref="UsageException">The arguments are wrong now; the message says how.</exception>
    public CommandContext ParseAgain()
    {
        var again = parsed.RootCommandResult.Command.Parse(Environment.GetCommandLineArgs()[1..]);
        if (again.Errors is [])
            again = OptionSources.Complete(again);
        return again.Errors is []
            ? new CommandContext(again) : throw new UsageException(ParseErrors.Text(again.Errors));
    }

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>The options of the verb, and where the value of each comes from.</summary>
    /// <exception cref="UsageException">The environment or the file gives a wrong one.</exception>
    public IReadOnlyList<(Option Option, OptionSource Source, object? Value)> ReadSources()
    {
        var complete = OptionSources.Complete(parsed);
        return [.. OptionSources.Find(parsed).Select(
            item => (item.Option, item.Source, complete.GetValue<object?>(item.Option.Name)))];
    }

    /// <summary>The data directory that the options name, or the default one.</summary>
    /// <exception cref="UsageException">None is named, and there is no default.</exception>
    public string NamedDirectory() =>
        Get(CommonOptions.DataDirectory) is { Length: > 0 } named ? Path.GetFullPath(named)
        : ProtocolConstants.DefaultDataDirectory() is { Length: > 0 } usual ? usual
        : throw new UsageException(
            "There is no home directory here for the default data directory: name one with --data-dir or " +
            $"{ProtocolConstants.DataDirectoryVariable}.");

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

    /// <summary>Prints one message of the contract in protobuf's JSON form.</summary>
    public void WriteJson(IMessage message) => Terminal.Line(Pages.Format(message));

    /// <summary>The same form, as part of a larger document.</summary>
    public static JsonNode? ToJson(IMessage message) => JsonNode.Parse(Lines.Format(message));

    /// <summary>Prints messages one per line, as they arrive.</summary>
    public void WriteJsonLine(IMessage message) => Terminal.Line(ToJsonLine(message));

    /// <summary>One message on one line.</summary>
    public static string ToJsonLine(IMessage message) => Lines.Format(message);

    public void WriteJson(IEnumerable<IMessage> messages) =>
        Terminal.Line("[" + string.Join(",", messages.Select(message => "\n" + Pages.Format(message))) + "\n]");
}
