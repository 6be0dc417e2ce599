using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Top;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator top</c></summary>
internal static class TopCommand
{
    private static readonly TimeSpan MinimumInterval = TimeSpan.FromMilliseconds(100);

    private static readonly Option<bool> Once = new("--once") { Description = "Print one snapshot and exit, as in a pipe." };

    private static readonly Option<OptionTime?> Interval = DurationOption.Option(
        "--interval", "The refresh interval.", TimeSpan.FromSeconds(1));

    public static Command Create() =>
        new Command(
            "top", "Shows workers, tasks, queues, rates and latencies as they change. Its keys recycle, cancel and drain; q ends it.")
        {
            Once, Interval,
        }
            .Examples("orchestrator top", "orchestrator top --once", "orchestrator top --once -o json | jq .status.tasks")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var interval = context.Get(Interval) ?? TimeSpan.FromSeconds(1);
        if (interval < MinimumInterval)
            throw new UsageException(
                $"--interval {Format.Time(interval)} is too short; the coordinator is asked at most every {Format.Time(MinimumInterval)}.");
        await using var client = await context.ConnectAsync(token);
        if (context.Terminal.IsLive && !context.Terminal.IsJson && !context.Get(Once))
        {
            await new TopLoop(client, context.Terminal.Out, interval).RunAsync(token);
            return ExitCode.Ok;
        }

        Print(context, await new TopFeed(client).ReadAsync(token));
        return ExitCode.Ok;
    }

    private static void Print(CommandContext context, TopSnapshot snapshot)
    {
        var terminal = context.Terminal;
        if (terminal.IsJson)
        {
            terminal.WriteJson(new JsonObject
            {
                ["status"] = CommandContext.ToJson(snapshot.Status),
                ["running_tasks"] = new JsonArray([.. snapshot.Running.Select(CommandContext.ToJson)]),
                ["queues"] = new JsonArray([.. snapshot.Queues.Select(CommandContext.ToJson)]),
            });
            return;
        }

        var rates = new TopRates();
        foreach (var parts in TopTables.Headline(snapshot))
            terminal.Line(string.Join(", ", parts));
        Section(TopTables.WorkerColumns, snapshot.Status.Workers.Select(worker => TopTables.Cells(snapshot, rates, worker)));
        Section(TopTables.TaskColumns, snapshot.Running.Select(task => TopTables.Cells(snapshot, task)));
        Section(TopTables.HandlerColumns, snapshot.Status.Handlers.Select(handler => TopTables.Cells(snapshot, handler)));
        Section(TopTables.QueueColumns, snapshot.Queues.Select(TopTables.Cells));

        void Section(Column[] columns, IEnumerable<string[]> rows)
        {
            var cells = rows.ToArray();
            if (cells.Length == 0)
                return;
            terminal.Line();
            terminal.WriteTable(columns, cells);
        }
    }
}
