using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator list</c></summary>
internal static class ListCommand
{
    private static readonly Argument<string[]> Values =
        new("VALUE") { Description = "JSON, or text; without any, each line of standard input is one.", Arity = ArgumentArity.ZeroOrMore };

    private static readonly Argument<long> Index =
        new("INDEX") { Description = "Counts from the end if negative: -1 is the last.", DefaultValueFactory = _ => -1 };

    public static Command Create() => new("list", "Uses lists, shared by every process that names them.")
    {
        CreateAppend(), CreatePop(), CreateShow(),
        // The parser cannot distinguish a verb from a sub-verb of the same name.
        ObjectCommands.ListOf(StateKind.List, "list", verb: "ls"),
        ObjectCommands.DeleteOf(StateKind.List, "list"),
    };

    private static Command CreateAppend() =>
        new Command("append", "Adds elements at the end.") { ObjectCommands.Name, Values, ObjectCommands.Durability }
            .Examples("orchestrator list append log started", "ls | orchestrator list append log")
            .InSession(async (context, session, token) =>
            {
                await foreach (var line in ObjectCommands.LinesAsync(context.Get(Values), token))
                    await ListOf(context, session).AppendAsync(ObjectCommands.ToPayload(line), token);
                return ExitCode.Ok;
            });

    private static Command CreatePop() =>
        new Command("pop", "Removes an element, by default the last, and prints it.") { ObjectCommands.Name, Index }
            .Examples("orchestrator list pop log", "orchestrator list pop log 0")
            .InSession(async (context, session, token) =>
            {
                context.WriteValue(await ListOf(context, session).PopAsync(context.Get(Index), token));
                return ExitCode.Ok;
            });

    private static Command CreateShow() =>
        new Command("show", "Prints every element, one per line.") { ObjectCommands.Name }
            .Examples("orchestrator list show log")
            .InSession(async (context, session, token) =>
            {
                for (var start = 0L; ;)
                {
                    var page = await ListOf(context, session).ReadSliceAsync(start, 1_000, token);
                    foreach (var value in page.Values)
                        context.WriteValue(value);
                    start += page.Values.Count;
                    if (page.Values.Count == 0 || start >= page.Count)
                        return ExitCode.Ok;
                }
            });

    private static SharedList<Payload> ListOf(CommandContext context, CoordinationSession session) =>
        session.List(context.Get(ObjectCommands.Name)!, ObjectCommands.ReadDurability(context));
}
