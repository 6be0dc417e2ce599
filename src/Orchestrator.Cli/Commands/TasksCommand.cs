using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator tasks</c></summary>
internal static class TasksCommand
{
    private const int PageSize = 500;

    private static readonly Option<string[]> States = new Option<string[]>("--state")
    {
        Description = "Only tasks in this state; may be given more than once.",
        HelpName = "STATE",
    }.AcceptOnlyFromAmong("queued", "running", "succeeded", "failed", "cancelled", "timed-out", "worker-lost");

    private static readonly Option<string?> Handler =
        new("--handler") { Description = "The handler of the tasks to list.", HelpName = "NAME" };

    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "The most tasks to list.",
        HelpName = "N",
        DefaultValueFactory = _ => 100,
    };

    public static Command Create() =>
        new Command(
            "tasks", "Lists tasks, newest first. Outputs are not listed: 'result TASK' prints one.") { States, Handler, Limit }
            .Examples("orchestrator tasks --state running", "orchestrator tasks --state failed --handler http_get -o json")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        await using var client = await context.ConnectAsync(token);
        var limit = Math.Max(1, context.Get(Limit));
        var request = new ListTasksRequest { Handler = context.Get(Handler) ?? "" };
        request.States.AddRange((context.Get(States) ?? []).Select(State));
        var tasks = new List<TaskInfo>();
        do
        {
            request.PageSize = Math.Min(PageSize, limit - tasks.Count);
            var page = await client.Contract.ListTasksAsync(request, token);
            tasks.AddRange(page.Tasks);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0 && tasks.Count < limit);

        if (context.Terminal.IsJson)
        {
            context.WriteJson(tasks);
            return ExitCode.Ok;
        }

        var now = TimeProvider.System.GetUtcNow();
        context.Terminal.WriteTable(
            [new("task", true), new("handler"), new("state"), new("age", true), new("ran", true), new("attempts", true), new("worker"),
                new("result")],
            tasks.Select(task => (string[])
            [
                task.TaskId.ToString(System.Globalization.CultureInfo.InvariantCulture),
                task.Handler,
                Format.State(task.State),
                Format.Time(Since(now, task.AcceptedAt ?? task.Result?.Timing?.AcceptedAt)),
                Format.Time(task.Result is { } ended ? ended.Timing?.Run?.ToTimeSpan()
                    : Since(now, task.State == TaskState.Running ? task.Attempts.LastOrDefault()?.StartedAt : null)),
                Format.Count(task.Attempts.Count),
                task.Attempts.LastOrDefault()?.Worker ?? task.Result?.Worker ?? "",
                Outcome(task),
            ]),
            "attempts", "worker", "ran");
        if (request.PageToken.Length > 0)
            context.Terminal.Note("There are more; --limit N lists up to N.");
        return ExitCode.Ok;
    }

    // The clocks of two machines may differ; an age is never negative.
    private static TimeSpan? Since(DateTimeOffset now, Timestamp? start) =>
        start is null ? null : TimeSpan.FromTicks(Math.Max(0, (now - start.ToDateTimeOffset()).Ticks));

    private static string Outcome(TaskInfo task) => task switch
    {
        // Lists omit outputs: an omitted output is not null.
        { Result: { State: TaskState.Succeeded } result } => result.Output is null ? "–" : Shorten(Format.Output(result.Output)),
        { Result.Error: { } error } => Shorten(Format.Cause(error)),
        { Progress: { } progress } => Format.Progress(progress),
        _ => "",
    };

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..59] + "…";

    private static TaskState State(string word) =>
        System.Enum.Parse<TaskState>(word.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
}
