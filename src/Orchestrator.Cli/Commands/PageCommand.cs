using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator page</c></summary>
internal static class PageCommand
{
    public static Command Create() =>
        new Command("page", "Prints the address of the coordinator's page, with a code that logs one browser in within a minute.")
            .Examples("orchestrator page")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var login = await client.Contract.CreateLoginCodeAsync(token);
                if (login.Page.Length == 0)
                    throw new UsageException("This coordinator opens no port, so it has no page.");
                if (context.Terminal.IsJson)
                    context.WriteJson(login);
                else
                    context.Terminal.Line($"{login.Page}login#{login.Code}");
                return ExitCode.Ok;
            });
}
