using System.CommandLine;
using Orchestrator.Cli.Commands.Objects;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator wait</c>: waits for tasks, and prints how they ended.</summary>
internal static class WaitCommand
{
    private static readonly Argument<ulong[]> Ids = new("TASK")
    {
        Description = "The ids of the tasks, as 'submit' prints them.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string> For = new Option<string>("--for")
    {
        Description = "What to wait for: all of them, the first to end, or the first that does not succeed (or all).",
        HelpName = "all|first|first-failed",
        DefaultValueFactory = _ => "all",
    }.AcceptOnlyFromAmong("all", "first", "first-failed");

    public static Command Create() =>
        new Command("wait", "Waits for tasks and prints how they ended; their outputs stay readable with 'result'.")
        {
            Ids, For, ObjectCommands.Timeout,
        }
            .Examples(
                "orchestrator submit sleep '{\"ms\": 500}' | xargs orchestrator wait",
                "orchestrator wait 17 18 19 --for first --timeout 30s")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var mode = context.Get(For) switch
        {
            "first" => WaitMode.FirstCompleted,
            "first-failed" => WaitMode.FirstFailed,
            _ => WaitMode.All,
        };
        await using var client = await context.ConnectAsync(token);
        var waited = await client.Contract.WaitAsync(context.Get(Ids)!, mode, context.Get(ObjectCommands.Timeout), token);
        if (context.Terminal.IsJson)
        {
            context.WriteJson(waited);
        }
        else
        {
            context.Terminal.WriteTable(
                [new("task", true), new("state"), new("ran", true), new("result")],
                waited.Done.Select(result => (string[])
                [
                    $"{result.TaskId}",
                    Format.State(result.State),
                    Format.Time(result.Timing?.Run),
                    Format.Cut(result.State == TaskState.Succeeded ? Format.Output(result.Output)
                        : result.Error is { } error ? Format.Cause(error) : "", 120),
                ]));
            if (waited.PendingTaskIds.Count > 0)
                context.Terminal.Note($"Not ended yet: {string.Join(", ", waited.PendingTaskIds)}.");
        }

        if (waited.Done.Any(result => result.State != TaskState.Succeeded))
            return ExitCode.TaskFailed;
        var satisfied = waited.PendingTaskIds.Count == 0 || (mode == WaitMode.FirstCompleted && waited.Done.Count > 0);
        return satisfied ? ExitCode.Ok : ExitCode.TimedOut;
    }
}
