using System.CommandLine;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator latch</c></summary>
internal static class LatchCommand
{
    private static readonly Option<long> InitialCount = new("--initial-count")
    {
        Description =
        "The initial count, if this command creates it; all callers that give it must agree.",
        HelpName = "N"
    };

    private static readonly Option<long> By =
        new("--by") { Description = "How far to count down.", HelpName = "N", DefaultValueFactory = _ => 1 };

    public static Command Create() => new("latch", "Uses latches that count down to zero.")
    {
        new Command("count-down", "Counts down, and prints the remaining count.") { ObjectCommands.Name, InitialCount, By }
            .Examples("orchestrator latch count-down parts --initial-count 3")
            .InSession(async (context, session, token) =>
            {
                var latch = session.Latch(context.Get(ObjectCommands.Name)!, context.Get(InitialCount));
                context.Terminal.Line($"{await latch.CountDownAsync(context.Get(By), token)}");
                return ExitCode.Ok;
            }),
        new Command("wait", "Waits until the count is zero.") { ObjectCommands.Name, InitialCount, ObjectCommands.Timeout }
            .Examples("orchestrator latch wait loaded --initial-count 3 --timeout 10m")
            .InSession(async (context, session, token) =>
            {
                var latch = session.Latch(context.Get(ObjectCommands.Name)!, context.Get(InitialCount));
                if (context.Get(ObjectCommands.Timeout) is { } limit)
                    return await latch.TryWaitAsync(limit, token)
                        ? ExitCode.Ok : context.TimedOut($"the latch '{latch.Name}' was not at zero");
                await latch.WaitAsync(token);
                return ExitCode.Ok;
            }),
        ObjectCommands.ListOf("latches", "latch"),
    };
}
