using System.CommandLine;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Verbs;

/// <summary><c>orchestrator limits</c></summary>
internal static class LimitsVerb
{
    public static Command Create() =>
        new Command("limits", "Lists every limit in force and how far it is used.")
            .Examples("orchestrator limits")
            .Does(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var limits = await client.ListLimitsAsync(token);
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(limits);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("limit"), new("used", true), new("maximum", true), new("unit"), new("description")],
                    limits.Select(limit => (string[])
                        [limit.Name, Describe.Count(limit.Used), limit.Maximum == 0 ? "–" : Describe.Count(limit.Maximum), limit.Unit, limit.Description]));
                return ExitCode.Ok;
            });
}
