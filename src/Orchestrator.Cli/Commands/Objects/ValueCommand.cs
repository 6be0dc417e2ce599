using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator value</c></summary>
internal static class ValueCommand
{
    private static readonly Argument<string> Number = new("NUMBER") { Description = "An integer, or a number with a point." };

    public static Command Create() => new("value", "Uses numbers, shared by every process that names them.")
    {
        CreateGet(),
        CreateChange("set", "Sets the number, and prints it.", number => new NumberEdit { Set = number }),
        CreateChange("add", "Adds to the number, where a missing one is 0, and prints the sum.", number => new NumberEdit { Add = number }),
        CreateChange("min", "Keeps the smaller of the two, and prints it.", number => new NumberEdit { Min = number }),
        CreateChange("max", "Keeps the larger of the two, and prints it.", number => new NumberEdit { Max = number }),
        ObjectCommands.ListOf(StateKind.Value, "value"),
        ObjectCommands.DeleteOf(StateKind.Value, "value"),
    };

    private static Command CreateGet() =>
        new Command("get", $"Prints the number; exit code {ExitCode.TaskFailed} if there is none yet.") { ObjectCommands.Name }
            .Examples("orchestrator value get visits")
            .InSession(async (context, session, token) =>
            {
                if (await session.Value(context.Get(ObjectCommands.Name)!).ReadNumberAsync(token) is { } number)
                {
                    context.Terminal.Line(ObjectCommands.Show(number));
                    return ExitCode.Ok;
                }

                context.Terminal.Error($"orchestrator: there is no value '{context.Get(ObjectCommands.Name)}' yet");
                return ExitCode.TaskFailed;
            });

    private static Command CreateChange(string verb, string description, Func<Number, NumberEdit> edit) =>
        new Command(verb, description) { ObjectCommands.Name, Number, ObjectCommands.Durability }
            .Examples($"orchestrator value {verb} visits 10")
            .InSession(async (context, session, token) =>
            {
                var response = await session.Value(context.Get(ObjectCommands.Name)!, ObjectCommands.ReadDurability(context))
                    .UpdateAsync(edit(ObjectCommands.ToNumber(context.Get(Number)!)), null, token);
                context.Terminal.Line(ObjectCommands.Show(response.After));
                return ExitCode.Ok;
            });
}
