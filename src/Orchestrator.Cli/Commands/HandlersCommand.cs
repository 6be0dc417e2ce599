using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator handlers</c></summary>
internal static class HandlersCommand
{
    public static Command Create() =>
        new Command("handlers", "Lists what the workers can run, with an example input for each.")
            .Examples("orchestrator handlers", "orchestrator run sum_of_squares '{\"n\": 1000}'")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var handlers = await client.Contract.ListHandlersAsync(token);
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(handlers);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("handler"), new("kind"), new("group"), new("example input"), new("description")],
                    handlers.OrderBy(handler => handler.Name, StringComparer.Ordinal).Select(handler => (string[])
                    [
                        handler.Name,
                        Format.Kind(handler.Kind),
                        string.Join(", ", handler.Groups),
                        handler.ExampleInput is null ? "" : Format.Output(handler.ExampleInput),
                        handler.Description,
                    ]));
                return ExitCode.Ok;
            });
}
