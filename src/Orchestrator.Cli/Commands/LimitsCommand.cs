using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator limits</c></summary>
internal static class LimitsCommand
{
    public static Command Create() =>
        new Command("limits", "Lists every limit in force and its current usage.")
            .Examples("orchestrator limits")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var limits = await client.Contract.ListLimitsAsync(token);
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(limits);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("limit"), new("used", true), new("maximum", true), new("unit"), new("description")],
                    limits.Select(limit => (string[])
                        [limit.Name, Format.Count(limit.Used), limit.Maximum == 0
                            ? "–" : Format.Count(limit.Maximum), limit.Unit, limit.Description]));
                return ExitCode.Ok;
            });
}
