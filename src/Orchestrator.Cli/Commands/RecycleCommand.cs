using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator recycle</c></summary>
internal static class RecycleCommand
{
    private static readonly Argument<string?> Worker = new("WORKER")
    {
        Description = "The worker's name; by default all of them, one after the other.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Group = new("--group")
    {
        Description = "The group of workers; all groups by default.",
        HelpName = "NAME",
    };

    public static Command Create() =>
        new Command("recycle", "Replaces worker processes without losing a task: each successor starts first.") { Worker, Group }
            .Examples("orchestrator recycle", "orchestrator recycle worker-1", "orchestrator recycle --group python")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var count = await client.RecycleWorkersAsync(context.Get(Worker), context.Get(Group), token);
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(new { recycled = count });
                else
                    context.Terminal.Line($"{count} worker{(count == 1 ? "" : "s")} recycled");
                return ExitCode.Ok;
            });
}
