using System.CommandLine;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator lock</c></summary>
internal static class LockCommand
{
    private static readonly Argument<string> LockName = new("NAME") { Description = "The lock's name: letters, digits and . _ / -" };

    private static readonly Argument<string[]> CommandWords = new("COMMAND")
    {
        Description = "The command to run while the lock is held, after --.",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create() => new("lock", "Uses locks, shared by every process that names them.") { CreateRun(), CreateList() };

    private static Command CreateRun() =>
        new Command(
            "run", "Runs a command under a lock, and exits with its exit code. If the lock is lost meanwhile, the command is killed: " +
                "another process may hold the lock by then.")
        {
            LockName, CommandWords, ObjectCommands.Timeout, ObjectCommands.Ttl,
        }
            .Examples("orchestrator lock run build -- make -j4", "orchestrator lock run build --timeout 0s -- ./deploy",
                "orchestrator lock run build --ttl 5s -- make -j4")
            .HandledBy(async (context, token) =>
            {
                await using var ending = ChildCommand.EndSoonUnlessItRuns(token);
                await using var client = await context.ConnectAsync(token);
                await using var session = await client.OpenSessionAsync(
                    $"lock run (pid {Environment.ProcessId})", context.Get(ObjectCommands.Ttl), token);
                var shared = session.Lock(context.Get(LockName)!);
                await using var hold = context.Get(ObjectCommands.Timeout) is { } limit
                    ? await shared.TryAcquireAsync(limit, token) : await shared.AcquireAsync(token);
                // Ctrl-C arrived together with the lock: a command started now would not receive it.
                token.ThrowIfCancellationRequested();
                return hold is null
                    ? context.TimedOut($"the lock '{shared.Name}' was not acquired")
                    : await ChildCommand.RunAsync(
                        context.Get(CommandWords)!, hold.Lost, ("ORCHESTRATOR_FENCING_TOKEN", $"{hold.FencingToken}"));
            });

    private static Command CreateList() =>
        new Command("list", "Lists the locks that are held or waited for.")
            .Examples("orchestrator lock list")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var locks = (await client.Contract.ListSyncAsync(token))
                    .Where(item => item.Object.StartsWith("locks/", StringComparison.Ordinal))
                    .ToList();
                if (context.Terminal.IsJson)
                {
                    context.WriteJson(locks);
                    return ExitCode.Ok;
                }

                context.Terminal.WriteTable(
                    [new("lock"), new("held by"), new("token", true), new("for", true), new("waiting", true)],
                    locks.Select(item => (string[])
                    [
                        item.Object["locks/".Length..],
                        string.Join(
                            ", ", item.Holders.Select(holder => holder.DisplayName.Length > 0 ? holder.DisplayName : holder.SessionId)),
                        string.Join(", ", item.Holders.Select(holder => holder.FencingToken)),
                        item.Holders.Count == 0 ? "–" : $"{item.Holders.Max(holder => holder.Age.ToTimeSpan()).TotalSeconds:0.0} s",
                        $"{item.Waiters.Count}",
                    ]));
                return ExitCode.Ok;
            });
}
