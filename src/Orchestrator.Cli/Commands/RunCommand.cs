using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Serialization;
using Orchestrator.Client.Streams;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator run</c>: streams tasks in and prints their results, one per line.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly Argument<string> Handler = new("HANDLER") { Description = "What to run; 'orchestrator handlers' lists them." };

    private static readonly Argument<string?> Input = new("JSON")
    {
        Description = "The input as JSON; - reads it from standard input.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Raw = new("--raw")
    {
        Description = "The input is bytes, not JSON: those of standard input, or of the argument's text.",
    };

    private static readonly Option<long> Count = new("--count", "-n")
    {
        Description = "How many tasks with this input.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string> Placement = PlacementOption.Create();

    private static readonly Option<string> Order = new Option<string>("--order")
    {
        Description = "Print results as they complete, or in the order of submission.",
        HelpName = "completion|submission",
        DefaultValueFactory = _ => "completion",
    }.AcceptOnlyFromAmong("completion", "submission");

    private static readonly Option<int> Priority = new("--priority") { Description = "Larger runs first.", HelpName = "N" };

    private static readonly Option<TimeSpan?> Timeout = DurationOption.Option(
        "--timeout", "How long a task may take in total, its wait included.");

    private static readonly Option<TimeSpan?> RunTimeout = DurationOption.Option("--run-timeout", "How long a task may run.");

    private static readonly Option<string> Limiter = new("--rate-limiter")
    {
        Description =
        "The rate limiter from which each attempt takes a permit before it starts.",
        HelpName = "NAME"
    };
    private static readonly Option<int> Attempts =
        new("--attempts") { Description = "Total attempts if the handler fails.", HelpName = "N" };

    private static readonly Option<bool> FailFast = new("--fail-fast") { Description = "Cancel the rest once one task fails." };

    private static readonly Option<bool> Events =
        new("--events") { Description = "Also print progress, partial outputs and log lines, to standard error." };

    public static Command Create() =>
        new Command("run", "Runs tasks and prints their results, one per line.")
        {
            Handler, Input, Raw, Count, Placement, Order, Priority, Timeout, RunTimeout, Attempts, Limiter, FailFast, Events,
        }
            .Examples(
                "orchestrator run sum_of_squares '{\"n\": 1000000}'",
                "orchestrator run fibonacci '{\"n\": 30}' --count 100",
                "orchestrator run sleep '{\"ms\": 500}' --count 1000 --placement async",
                "orchestrator run gzip - --raw < file > file.gz")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var count = context.Get(Count);
        if (count < 1)
            throw new UsageException("--count must be at least 1.");
        var input = await ReadInputAsync(context, token);
        await using var client = await context.ConnectAsync(token);
        var printer = new RunPrinter(context, count);
        await using var stream = client.OpenTaskStream(
            new TaskStreamOptions
            {
                Order = context.Get(Order) == "submission" ? ResultOrder.Submission : ResultOrder.Completion,
                Defaults = Options(context),
                FailFast = context.Get(FailFast),
                OnEvent = context.Get(Events) ? printer.Event : null,
            },
            token);
        return await printer.WatchAsync(async () =>
        {
            using var done = CancellationTokenSource.CreateLinkedTokenSource(token);
            var waiting = NoteWaitAsync(client, printer, done.Token);
            var submitting = SubmitAsync(stream, context.Get(Handler)!, input, count, token);
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
            var status = await client.GetStatusAsync(done);
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

    private static TaskOptions Options(CommandContext context)
    {
        var options = new TaskOptions
        {
            Placement = PlacementOption.Parse(context.Get(Placement)),
            Priority = context.Get(Priority),
        };
        if (context.Get(Timeout) is { } total)
            options.TotalTimeout = Duration.FromTimeSpan(total);
        if (context.Get(RunTimeout) is { } run)
            options.RunTimeout = Duration.FromTimeSpan(run);
        if (context.Get(Limiter) is { } limiter)
            options.RateLimiter = limiter;
        if (context.Get(Attempts) is > 1 and var attempts)
            options.Retry = new RetryPolicy { MaxAttempts = attempts };
        return options;
    }

    private static async Task<Payload?> ReadInputAsync(CommandContext context, CancellationToken token)
    {
        var text = context.Get(Input);
        if (context.Get(Raw))
        {
            if (text is not (null or "-"))
                return Payloads.FromBytes(System.Text.Encoding.UTF8.GetBytes(text));
            await using var stdin = Console.OpenStandardInput();
            using var bytes = new MemoryStream();
            await stdin.CopyToAsync(bytes, token);
            return Payloads.FromBytes(bytes.ToArray());
        }

        if (text == "-")
            text = await Console.In.ReadToEndAsync(token);
        return string.IsNullOrWhiteSpace(text) ? null : JsonArgument.Parse(text, "the input");
    }
}
