using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Common;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator waits</c></summary>
internal static class WaitsCommand
{
    private static readonly Option<bool> Refused = new("--refused")
    {
        Description = "List the last 100 waits instead that were refused because each would have closed a cycle.",
    };

    public static Command Create() =>
        new Command(
            "waits", "Lists the wait graph: each waiter, the holder it waits for, and the lock, semaphore, queue or other shared object.")
        {
            Refused,
        }
            .Examples("orchestrator waits", "orchestrator waits --refused")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                if (context.Get(Refused))
                {
                    Print(context, await client.Contract.ListDeadlocksAsync(token));
                    return ExitCode.Ok;
                }

                var waits = await client.Contract.ExplainWaitsAsync(token);
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(waits);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("waiter"), new("object"), new("waits for"), new("since", true)],
                    waits.Select(edge => (string[])
                        [Name(edge.WaiterSession, edge.WaiterName), edge.Object, Name(edge.HolderSession, edge.HolderName),
                            $"{edge.Waiting.ToTimeSpan().TotalSeconds:0.0} s"]));
                return ExitCode.Ok;
            });

    private static void Print(CommandContext context, IReadOnlyList<Deadlock> deadlocks)
    {
        if (context.Terminal.IsJson)
        {
            context.WriteJson(deadlocks);
            return;
        }

        context.Terminal.WriteTable(
            [new("at"), new("refused: it would have closed this cycle of waits")],
            deadlocks.Select(item => (string[])[Time(item), item.Message]));
    }

    private static string Time(Deadlock deadlock) =>
        deadlock.At.ToDateTime().ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    private static string Name(string session, string name) =>
        session.Length == 0 ? "–" : name.Length == 0 ? session : $"{name} ({session})";
}
