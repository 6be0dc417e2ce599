using System.CommandLine;
using System.Collections;
using System.Globalization;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;
using Orchestrator.Protocol;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator config</c></summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", "Shows the configuration of 'serve'.") { CreateShow() };

    private static Command CreateShow() =>
        new Command("show", "Prints every option of 'serve' with its value, where that comes from, and its environment variable.")
            .With(ServeCommand.Options)
            .Examples("orchestrator config show", "ORCHESTRATOR_WORKERS=3 orchestrator config show --grpc-port 0")
            .HandledBy((context, _) => Task.FromResult(Show(context)));

    private static int Show(CommandContext context)
    {
        var rows = context.ReadSources()
            .Select(item => (item.Option, item.Source, Value: Text(
                item.Option == CommonOptions.DataDirectory ? item.Value ?? ProtocolConstants.DefaultDataDirectory() : item.Value)))
            .OrderBy(item => item.Option.Name, StringComparer.Ordinal)
            .ToArray();
        if (context.Terminal.IsJson)
        {
            context.Terminal.WriteJson(rows.Select(row => new
            {
                name = row.Option.Name[2..],
                value = row.Value,
                source = Name(row.Source),
                variable = OptionSources.VariableOf(row.Option),
            }));
            return ExitCode.Ok;
        }

        context.Terminal.WriteTable(
            [new("option"), new("value"), new("from"), new("environment variable")],
            rows.Select(row => (string[])
                [row.Option.Name[2..], row.Value ?? "–", Name(row.Source), OptionSources.VariableOf(row.Option)]),
            "environment variable");
        return ExitCode.Ok;
    }

    private static string Name(OptionSource source) => source.ToString().ToLowerInvariant();

    private static string? Text(object? value) => value switch
    {
        null => null,
        bool flag => flag ? "true" : "false",
        string text => text,
        IEnumerable many => string.Join(", ", many.Cast<object>()) is { Length: > 0 } text ? text : null,
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
