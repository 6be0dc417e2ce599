using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator array</c></summary>
internal static class ArrayCommand
{
    private static readonly Option<long> Length =
        new("--length") { Description = "Its length, if this command creates it.", HelpName = "N" };

    private static readonly Argument<long> Index = new("INDEX") { Description = "Counts from the end if negative: -1 is the last." };

    private static readonly Argument<string> Number = new("NUMBER") { Description = "An integer, or a number with a point." };

    public static Command Create() => new("array", "Uses arrays of numbers, shared by every process that names them.")
    {
        CreateChange("set", "Sets an element, and prints it.", number => new NumberEdit { Set = number }),
        CreateChange("add", "Adds to an element, and prints the sum.", number => new NumberEdit { Add = number }),
        CreateShow(),
        ObjectCommands.ListOf(StateKind.Array, "array"),
        ObjectCommands.DeleteOf(StateKind.Array, "array"),
    };

    private static Command CreateChange(string verb, string description, Func<Number, NumberEdit> edit) =>
        new Command(verb, description) { ObjectCommands.Name, Index, Number, Length, ObjectCommands.Durability }
            .Examples($"orchestrator array {verb} histogram 3 1 --length 10")
            .InSession(async (context, session, token) =>
            {
                var after = await session.Array(context.Get(ObjectCommands.Name)!, context.Get(Length),
                    ObjectCommands.ReadDurability(context)).UpdateAsync(
                    [new ArrayEdit { Index = context.Get(Index), Edit = edit(ObjectCommands.ToNumber(context.Get(Number)!)) }], null,
                    token);
                context.Terminal.Line(ObjectCommands.Show(after.Single()));
                return ExitCode.Ok;
            });

    private static Command CreateShow() =>
        new Command("show", "Prints every element, one per line.") { ObjectCommands.Name }
            .Examples("orchestrator array show histogram")
            .InSession(async (context, session, token) =>
            {
                foreach (var number in (await session.Array(context.Get(ObjectCommands.Name)!)
                    .ReadSliceAsync(cancellationToken: token)).Values)
                    context.Terminal.Line(ObjectCommands.Show(number));
                return ExitCode.Ok;
            });
}
