using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator submit</c>: submits tasks and prints their ids, one per line, without waiting for them.</summary>
internal static class SubmitCommand
{
    private static readonly Option<string?> RequestId = new("--request-id")
    {
        Description = "The same id again finds the task of the first time, instead of another one.",
        HelpName = "ID",
    };

    private static readonly Option<OptionTime?> ResultTtl = DurationOption.Option(
        "--result-ttl", "How long the result is kept after the end of the task.");

    public static Command Create() =>
        new Command("submit", "Submits tasks and prints their ids, one per line, without waiting for their results.")
        {
            RequestId, ResultTtl,
        }
            .TakesTasks()
            .Examples(
                "orchestrator submit sleep '{\"ms\": 500}'",
                "orchestrator submit sum_of_squares '{\"n\": 1000000}' --count 10 | xargs orchestrator wait",
                "orchestrator submit echo '{\"order\": 4711}' --durability disk --request-id order-4711")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var count = TaskArguments.ReadCount(context);
        var requestId = context.Get(RequestId) ?? "";
        if (count > 1 && requestId.Length > 0)
            throw new UsageException($"--request-id names one task, and --count asks for {count}: leave one of them out.");
        var spec = new TaskSpec
        {
            Handler = context.Get(TaskArguments.Handler),
            Input = await TaskArguments.ReadInputAsync(context, token),
            Options = TaskArguments.ReadOptions(context),
            RequestId = requestId,
        };
        if (context.Get(ResultTtl) is { } ttl)
            spec.Options.ResultTtl = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(ttl);
        await using var client = await context.ConnectAsync(token);
        var ids = new List<ulong>();
        for (var left = count; left > 0; left -= ProtocolConstants.MaxItemsPerMessage)
        {
            var batch = (int)Math.Min(left, ProtocolConstants.MaxItemsPerMessage);
            var accepted = await client.Contract.SubmitAsync(Enumerable.Repeat(spec, batch), token);
            // Printed as they are accepted: these tasks exist, whatever becomes of the next batch.
            if (context.Terminal.IsJson)
                ids.AddRange(accepted);
            else
                context.Terminal.Line(string.Join('\n', accepted));
        }

        if (context.Terminal.IsJson)
            context.Terminal.WriteJson(new { task_ids = ids });
        return ExitCode.Ok;
    }
}
