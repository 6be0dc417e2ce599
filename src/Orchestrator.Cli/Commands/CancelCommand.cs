using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator cancel</c></summary>
internal static class CancelCommand
{
    private static readonly Argument<ulong[]> Ids = new("TASK")
    {
        Description = "The ids of the tasks, as 'submit' prints them.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<bool> Force =
        new("--force") { Description = "Do not ask a running task first: end its worker process." };

    public static Command Create() =>
        new Command("cancel", "Cancels tasks: queued ones at once, running ones by asking first.") { Ids, Force }
            .Examples(
                "orchestrator cancel 17 18", "orchestrator tasks --state running | cut -f1 | tail -n +2 | xargs -r orchestrator cancel")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var ids = context.Get(Ids)!;
                var cancelled = await client.CancelAsync(ids, context.Get(Force), token);
                if (context.Terminal.IsJson)
                {
                    context.Terminal.WriteJson(new { cancelled_task_ids = cancelled });
                    return ExitCode.Ok;
                }

                foreach (var id in ids)
                    context.Terminal.Line($"{id} {(cancelled.Contains(id) ? "cancelled" : "had finished, or is unknown")}");
                return ExitCode.Ok;
            });
}
