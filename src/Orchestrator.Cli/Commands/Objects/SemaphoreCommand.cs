using System.CommandLine;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator semaphore</c></summary>
internal static class SemaphoreCommand
{
    private static readonly Argument<string[]> Words =
        new("COMMAND") { Description = "The command to run while the permit is held, after --.", Arity = ArgumentArity.OneOrMore };

    private static readonly Option<int?> Permits = new("--permits")
    {
        Description =
        "The number of permits, if this command creates the semaphore; all callers that give it must agree.",
        HelpName = "N"
    };

    private static readonly Option<long?> Count = CountOption.Create("permits to take", 1);

    public static Command Create() => new("semaphore", "Uses semaphores, shared by every process that names them.")
    {
        new Command("run",
            "Runs a command while a permit is held, and exits with its exit code. If the permit is lost meanwhile, the command is killed.")
        {
            ObjectCommands.Name, Words, Permits, Count, ObjectCommands.Timeout, ObjectCommands.Ttl,
        }
            .Examples("orchestrator semaphore run db --permits 4 -- ./import part-1.csv",
                "orchestrator semaphore run db --permits 4 --timeout 0s -- ./import part-1.csv")
            .InSession(async (context, session, token) =>
            {
                await using var ending = ChildCommand.EndSoonUnlessItRuns(token);
                var semaphore = session.Semaphore(context.Get(ObjectCommands.Name)!, context.Get(Permits), bounded: true);
                await using var hold = context.Get(ObjectCommands.Timeout) is { } limit
                    ? await semaphore.TryAcquireAsync(limit, CountOption.ReadInt(context.Get(Count)), token)
                    : await semaphore.AcquireAsync(CountOption.ReadInt(context.Get(Count)), token);
                token.ThrowIfCancellationRequested();
                return hold is null
                    ? context.TimedOut($"the semaphore '{semaphore.Name}' had no permit")
                    : await ChildCommand.RunAsync(context.Get(Words)!, session.Lost);
            }, ObjectCommands.Ttl),
        ObjectCommands.ListOf("semaphores", "semaphore"),
    };
}
