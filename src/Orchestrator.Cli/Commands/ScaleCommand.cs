using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator scale</c></summary>
internal static class ScaleCommand
{
    private static readonly Argument<int> Workers = new("N") { Description = "The new number of workers." };

    private static readonly Option<string?> Group = new("--group")
    {
        Description = "The group of workers; needed where there are several.",
        HelpName = "NAME",
    };

    public static Command Create() =>
        new Command("scale", "Changes the number of workers.") { Workers, Group }
            .Examples("orchestrator scale 4", "orchestrator scale 2 --group python")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var count = await client.ScaleWorkersAsync(context.Get(Workers), context.Get(Group), token);
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(new { workers = count });
                else
                    context.Terminal.Line($"{count} worker{(count == 1 ? "" : "s")}");
                return ExitCode.Ok;
            });
}
