using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary>What to run and how: the arguments and options that <c>run</c> and <c>submit</c> share.</summary>
internal static class TaskArguments
{
    public static readonly Argument<string> Handler = new("HANDLER") { Description = "What to run; 'orchestrator handlers' lists them." };

    public static readonly Argument<string?> Input = new("JSON")
    {
        Description = "The input as JSON; - reads it from standard input.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static readonly Option<long?> Count = CountOption.Create("tasks with this input", 1);

    private static readonly Option<bool> Raw = new("--raw")
    {
        Description = "The input is bytes, not JSON: those of standard input, or of the argument's text.",
    };

    private static readonly Option<string> Placement = PlacementOption.Create();

    private static readonly Option<int> Priority =
        new("--priority") { Description = "The priority: a larger one runs first.", HelpName = "N" };

    private static readonly Option<OptionTime?> TotalTimeout = DurationOption.Option(
        "--total-timeout", "How long a task may take in total, its wait included.");

    private static readonly Option<OptionTime?> RunTimeout = DurationOption.Option("--run-timeout", "How long a task may run.");

    private static readonly Option<string> Limiter = new("--rate-limiter")
    {
        Description = "The rate limiter from which each attempt takes a permit before it starts.",
        HelpName = "NAME",
    };

    private static readonly Option<int> Attempts =
        new("--max-attempts") { Description = "The most attempts, if the handler fails.", HelpName = "N" };

    private static readonly Option<string> DurabilityWord = DurabilityOption.Create();

    /// <summary>Adds them to a verb.</summary>
    public static Command TakesTasks(this Command command)
    {
        command.Arguments.Add(Handler);
        command.Arguments.Add(Input);
        return command.With([Raw, Count, Placement, Priority, TotalTimeout, RunTimeout, Attempts, Limiter, DurabilityWord]);
    }

    /// <summary>How many tasks to run.</summary>
    public static long ReadCount(CommandContext context) =>
        context.Get(Count) is >= 1 and var count ? count : throw new UsageException("--count must be at least 1.");

    /// <summary>The options of each task.</summary>
    public static TaskOptions ReadOptions(CommandContext context)
    {
        var options = new TaskOptions
        {
            Placement = PlacementOption.Parse(context.Get(Placement)),
            Priority = context.Get(Priority),
            Durability = (Durability)DurabilityOption.Parse(context.Get(DurabilityWord)),
        };
        if (context.Get(TotalTimeout) is { } total)
            options.TotalTimeout = Duration.FromTimeSpan(total);
        if (context.Get(RunTimeout) is { } run)
            options.RunTimeout = Duration.FromTimeSpan(run);
        if (context.Get(Limiter) is { } limiter)
            options.RateLimiter = limiter;
        if (context.Get(Attempts) is > 1 and var attempts)
            options.Retry = new RetryPolicy { MaxAttempts = attempts };
        return options;
    }

    /// <summary>The input of each task; null without an input.</summary>
    public static async Task<Payload?> ReadInputAsync(CommandContext context, CancellationToken token)
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
