using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator waits</c></summary>
internal static class WaitsCommand
{
    public static Command Create() =>
        new Command(
            "waits", "Lists the wait graph: each waiter, the holder it waits for, and the lock, semaphore, queue or other shared object.")
            .Examples("orchestrator waits")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
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

    private static string Name(string session, string name) =>
        session.Length == 0 ? "–" : name.Length == 0 ? session : $"{name} ({session})";
}
