using System.CommandLine;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator run</c>: streams tasks in and prints their results, one per line.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly Option<bool> InOrder =
        new("--in-order") { Description = "Print the results in the order of submission, instead of as they complete." };

    private static readonly Option<bool> FailFast = new("--fail-fast") { Description = "Cancel the rest once one task fails." };

    private static readonly Option<bool> Events =
        new("--events") { Description = "Also print progress, partial outputs and log lines, to standard error." };

    public static Command Create() =>
        new Command("run", "Runs tasks and prints their results, one per line.")
        {
            InOrder, FailFast, Events,
        }
            .TakesTasks()
            .Examples(
                "orchestrator run sum_of_squares '{\"n\": 1000000}'",
                "orchestrator run fibonacci '{\"n\": 30}' --count 100",
                "orchestrator run sleep '{\"ms\": 500}' --count 1000 --placement async",
                "orchestrator run gzip - --raw < file > file.gz")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var count = TaskArguments.ReadCount(context);
        var input = await TaskArguments.ReadInputAsync(context, token);
        await using var client = await context.ConnectAsync(token);
        var printer = new RunPrinter(context, count);
        await using var stream = client.Contract.OpenTaskStream(
            new TaskStreamOptions
            {
                Order = context.Get(InOrder) ? ResultOrder.Submission : ResultOrder.Completion,
                Defaults = TaskArguments.ReadOptions(context),
                FailFast = context.Get(FailFast),
                OnEvent = context.Get(Events) ? printer.Event : null,
            },
            token);
        return await printer.WatchAsync(async () =>
        {
            using var done = CancellationTokenSource.CreateLinkedTokenSource(token);
            var waiting = NoteWaitAsync(client, printer, done.Token);
            var submitting = SubmitAsync(stream, context.Get(TaskArguments.Handler)!, input, count, token);
            try
            {
                await foreach (var result in stream.ReadAllAsync(token))
                    printer.Result(result);
            }
            finally
            {
                await done.CancelAsync();
                await waiting;
                // A broken stream fails both sides; report the reader's error.
                await submitting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await submitting;
        });
    }

    /// <summary>Reports once if no result has arrived for a while because no worker is available.</summary>
    private static async Task NoteWaitAsync(OrchestratorClient client, RunPrinter printer, CancellationToken done)
    {
        try
        {
            await Task.Delay(Patience, TimeProvider.System, done);
            if (printer.HasResults)
                return;
            var status = await client.Contract.GetStatusAsync(done);
            if (status.Workers.Any(worker => worker.State == WorkerState.Ready))
                return;
            foreach (var note in WorkerNotes.Of(status))
                printer.Note(note);
        }
        catch (Exception exception) when (exception is OperationCanceledException or OrchestratorException)
        {
            // The stream has ended, or the token may not read the status: only the results count.
        }
    }

    private static async Task SubmitAsync(TaskStream stream, string handler, Payload? input, long count, CancellationToken token)
    {
        for (long i = 0; i < count; i++)
            await stream.SubmitAsync(new TaskSpec { Handler = handler, Input = input, Tag = (ulong)i }, token);
        await stream.CompleteAsync();
    }
}
