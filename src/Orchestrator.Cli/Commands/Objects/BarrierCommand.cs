using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator barrier</c></summary>
internal static class BarrierCommand
{
    private static readonly Option<int> Parties = new("--parties")
    {
        Description =
        "The number of parties, if this command creates it; all callers that give it must agree.",
        HelpName = "N"
    };

    public static Command Create() => new("barrier", "Uses barriers at which processes meet.")
    {
        new Command(
            "wait", "Waits until all parties have arrived, and prints this one's index. A timeout breaks the barrier for the others.")
        {
            ObjectCommands.Name, Parties, ObjectCommands.Timeout,
        }
            .Examples("orchestrator barrier wait start --parties 3")
            .InSession(async (context, session, token) =>
            {
                var barrier = session.Barrier(context.Get(ObjectCommands.Name)!, context.Get(Parties));
                var index = context.Get(ObjectCommands.Timeout) is { } limit
                    ? await barrier.TryWaitAsync(limit, token) : await barrier.WaitAsync(token);
                if (index is null)
                    return context.TimedOut($"not all parties came to the barrier '{barrier.Name}'");
                context.Terminal.Line($"{index}");
                return ExitCode.Ok;
            }),
        new Command("reset", "Resets the barrier; present waiters find it broken.") { ObjectCommands.Name }
            .Examples("orchestrator barrier reset start")
            .InSession(async (context, session, token) =>
            {
                await session.Barrier(context.Get(ObjectCommands.Name)!).ResetAsync(token);
                return ExitCode.Ok;
            }),
        ObjectCommands.ListOf("barriers", "barrier"),
    };
}
