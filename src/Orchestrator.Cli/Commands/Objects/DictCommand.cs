using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands.Objects;

/// <summary><c>orchestrator dict</c></summary>
internal static class DictCommand
{
    private static readonly Argument<string> Key = new("KEY") { Description = "The entry." };

    private static readonly Argument<string> Value = new("VALUE") { Description = "JSON, or text." };

    private static readonly Argument<string> Amount = new("AMOUNT") { Description = "A number.", DefaultValueFactory = _ => "1" };

    public static Command Create() => new("dict", "Uses dicts, shared by every process that names them.")
    {
        CreateSet(), CreateGet(), CreateAdd(), CreateDelete(), CreateShow(), ObjectCommands.ListOf(StateKind.Dict, "dict"),
        ObjectCommands.DeleteOf(StateKind.Dict, "dict"),
    };

    private static Command CreateSet() =>
        new Command("set", "Sets an entry.") { ObjectCommands.Name, Key, Value, ObjectCommands.Durability }
            .Examples("orchestrator dict set config retries 3", "orchestrator dict set config hosts '[\"a\", \"b\"]'",
                "orchestrator dict set accounts ann 100 --durability disk")
            .InSession(async (context, session, token) =>
            {
                await DictOf(context, session).SetAsync(context.Get(Key)!, ObjectCommands.ToPayload(context.Get(Value)!), token);
                return ExitCode.Ok;
            });

    private static Command CreateGet() =>
        new Command("get", $"Prints an entry's value; exit code {ExitCode.TaskFailed} if the key is missing.") { ObjectCommands.Name, Key }
            .Examples("orchestrator dict get config retries")
            .InSession(async (context, session, token) =>
            {
                if (await DictOf(context, session).GetAsync(context.Get(Key)!, token) is not { } value)
                {
                    context.Terminal.Error($"orchestrator: the dict '{context.Get(ObjectCommands.Name)}' has no key '{context.Get(Key)}'");
                    return ExitCode.TaskFailed;
                }

                context.WriteValue(value);
                return ExitCode.Ok;
            });

    private static Command CreateAdd() =>
        new Command("add", "Adds to an entry's number, where a missing one is 0, and prints the sum.")
        {
            ObjectCommands.Name, Key, Amount, ObjectCommands.Durability,
        }
            .Examples("orchestrator dict add scores alice", "orchestrator dict add scores alice -- -5")
            .InSession(async (context, session, token) =>
            {
                var text = context.Get(Amount)!;
                if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var amount))
                    throw new UsageException($"'{text}' is not a number");
                context.WriteValue(Payloads.FromNumber(await DictOf(context, session).AddAsync(context.Get(Key)!, amount, token)));
                return ExitCode.Ok;
            });

    private static Command CreateDelete() =>
        new Command("delete", "Removes an entry, if there is one.") { ObjectCommands.Name, Key }
            .Examples("orchestrator dict delete config retries")
            .InSession(async (context, session, token) =>
            {
                await DictOf(context, session).RemoveAsync(context.Get(Key)!, token);
                return ExitCode.Ok;
            });

    private static Command CreateShow() =>
        new Command("show", "Prints every entry.") { ObjectCommands.Name }
            .Examples("orchestrator dict show config", "orchestrator dict show config -o json")
            .InSession(async (context, session, token) =>
            {
                var entries = new List<DictEntry>();
                var page = "";
                do
                {
                    var read = await DictOf(context, session).ReadPageAsync(page, cancellationToken: token);
                    entries.AddRange(read.Entries);
                    page = read.NextPageToken;
                }
                while (page.Length > 0);
                if (context.Terminal.IsJson)
                    context.WriteJson(entries);
                else
                    context.Terminal.WriteTable([new("key"), new("value"), new("version", true)], entries.Select(
                        entry => (string[])[entry.Key, Format.Output(entry.Value), $"{entry.Version}"]));
                return ExitCode.Ok;
            });

    private static SharedDict<Payload> DictOf(CommandContext context, CoordinationSession session) =>
        session.Dict(context.Get(ObjectCommands.Name)!, ObjectCommands.ReadDurability(context));
}
