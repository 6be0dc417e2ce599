using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Results;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator logs</c></summary>
internal static class LogsCommand
{
    private static readonly Argument<ulong> Id = new("TASK") { Description = "The task's id; 'orchestrator tasks' lists them." };

    private static readonly Option<ulong> After =
        new("--after") { Description = "Begin after this sequence number.", HelpName = "SEQUENCE" };

    public static Command Create() =>
        new Command("logs",
            "Prints a task's log lines, progress and partial outputs from its beginning, and follows the task until it ends.") { Id, After }
            .Examples("orchestrator logs 17", "orchestrator logs 17 -o json | jq -r '.log.message // empty'")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var id = context.Get(Id);
        await using var client = await context.ConnectAsync(token);
        TaskResult? result = null;
        try
        {
            await foreach (var happened in client.Contract.WatchTasksAsync([id], context.Get(After), token))
            {
                result = happened.Result ?? result;
                if (context.Terminal.IsJson)
                    context.WriteJsonLine(happened);
                else
                    Print(context, happened);
            }
        }
        catch (OrchestratorException exception) when (exception.Reason == FailureReason.NotFound)
        {
            throw new OrchestratorException(
                $"{exception.Message}; 'orchestrator tasks' lists those that are known", exception.StatusCode, exception.Reason, exception);
        }

        // A watch that resumes after the task's end yields no events.
        result ??= (await client.Contract.GetTaskAsync(id, token)).Result;
        return result?.State == TaskState.Succeeded ? ExitCode.Ok : ExitCode.TaskFailed;
    }

    private static void Print(CommandContext context, TaskEvent happened)
    {
        if (happened.DroppedBefore > 0)
            Write(Format.Dropped(happened));
        if (Line(happened) is { } line)
            Write(line);

        void Write(string text) => context.Terminal.Line(
            VisibleText.Line(FormattableString.Invariant($"{happened.At?.ToDateTime().ToLocalTime():HH:mm:ss.fff}  {text}")));
    }

    private static string? Line(TaskEvent happened) => happened.EventCase switch
    {
        // The result carries the outcome, and more.
        TaskEvent.EventOneofCase.State => happened.State is TaskState.Queued or TaskState.Running ? Format.State(happened.State) : null,
        TaskEvent.EventOneofCase.Progress => "progress: " + Format.Progress(happened.Progress),
        TaskEvent.EventOneofCase.PartialOutput => "output: " + Format.Output(happened.PartialOutput),
        TaskEvent.EventOneofCase.Log => $"{happened.Log.Level}: {happened.Log.Message}",
        TaskEvent.EventOneofCase.Result when happened.Result.State == TaskState.Succeeded =>
            "succeeded: " + Format.Output(happened.Result.Output),
        TaskEvent.EventOneofCase.Result => Format.Failure(happened.Result),
        _ => null,
    };
}
