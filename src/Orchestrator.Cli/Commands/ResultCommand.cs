using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator result</c>: prints what a task returned, as <c>orchestrator run</c> does.</summary>
internal static class ResultCommand
{
    private static readonly Argument<ulong> Id = new("TASK") { Description = "The task's id; 'orchestrator tasks' lists them." };

    public static Command Create() =>
        new Command("result", $"Prints the output of an ended task; exit code {ExitCode.TaskFailed} if it did not succeed, or runs.")
        {
            Id,
        }
            .Examples("orchestrator result 17", "orchestrator result 17 > output", "orchestrator result 17 -o json")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var id = context.Get(Id);
        await using var client = await context.ConnectAsync(token);
        var task = await client.Contract.GetTaskAsync(id, token);
        if (task.Result is not { } result)
        {
            context.Terminal.Error(
                $"orchestrator: task {id} is {Format.State(task.State)}, so it has no result yet; 'orchestrator wait {id}' waits for it");
            return ExitCode.TaskFailed;
        }

        var printer = new RunPrinter(context, 1);
        return await printer.WatchAsync(() =>
        {
            printer.Result(result);
            return Task.CompletedTask;
        });
    }
}
