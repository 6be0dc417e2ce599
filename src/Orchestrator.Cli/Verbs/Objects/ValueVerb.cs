using System.CommandLine;
using Orchestrator.V1;

namespace Orchestrator.Cli.Verbs;

/// <summary><c>orchestrator value</c></summary>
internal static class ValueVerb
{
    private static readonly Argument<string> Number = new("NUMBER") { Description = "An integer, or a number with a point." };

    public static Command Create() => new("value", "Uses numbers that every process shares which names them.")
    {
        CreateGet(),
        CreateChange("set", "Sets the number, and prints it.", number => new NumberEdit { Set = number }),
        CreateChange("add", "Adds to the number, of which nothing is 0, and prints the sum.", number => new NumberEdit { Add = number }),
        CreateChange("min", "Keeps the smaller of the two, and prints it.", number => new NumberEdit { Min = number }),
        CreateChange("max", "Keeps the larger of the two, and prints it.", number => new NumberEdit { Max = number }),
        ObjectVerbs.ListOf(StateKind.Value, "value"),
        ObjectVerbs.DeleteOf(StateKind.Value, "value"),
    };

    private static Command CreateGet() =>
        new Command("get", $"Prints the number; exit code {ExitCode.TaskFailed} where there is none yet.") { ObjectVerbs.Name }
            .Examples("orchestrator value get visits")
            .InSession(async (context, session, token) =>
            {
                if (await session.Value(context.Get(ObjectVerbs.Name)!).ReadAsync(token) is { } number)
                {
                    context.Terminal.Line(ObjectVerbs.Show(number));
                    return ExitCode.Ok;
                }

                context.Terminal.Error($"orchestrator: there is no value '{context.Get(ObjectVerbs.Name)}' yet");
                return ExitCode.TaskFailed;
            });

    private static Command CreateChange(string verb, string description, Func<Number, NumberEdit> edit) =>
        new Command(verb, description) { ObjectVerbs.Name, Number }
            .Examples($"orchestrator value {verb} visits 10")
            .InSession(async (context, session, token) =>
            {
                var response = await session.Value(context.Get(ObjectVerbs.Name)!).UpdateAsync(edit(ObjectVerbs.ToNumber(context.Get(Number)!)), null, token);
                context.Terminal.Line(ObjectVerbs.Show(response.After));
                return ExitCode.Ok;
            });
}
