using System.CommandLine;
using Orchestrator.Cli.Bench;
using Orchestrator.Cli.Bench.Beside;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Client;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench</c> and <c>bench tasks</c>; the other benches have a file each.</summary>
internal static class BenchCommand
{
    private static readonly Option<string> Handler =
        new("--handler") { Description = "The handler to measure.", HelpName = "NAME", DefaultValueFactory = _ => "echo" };

    private static readonly Option<string?> Input =
        new("--input") { Description = "Its input; otherwise --size bytes.", HelpName = "JSON" };

    private static readonly Option<OptionSize?> Size = BenchOptions.Size("an input, if --input is not given");

    private static readonly Option<long?> Count = CountOption.Create("tasks per round, instead of --duration");

    private static readonly Option<int?> InFlight = new("--in-flight")
    {
        Description = "The most in flight: tasks of each client, 4096 on a stream, 64 calls, 10000 calls with --rate, 1 with --beside.",
        HelpName = "N",
    };

    private static readonly Option<double> Rate = new("--rate")
    {
        Description = "Open loop: tasks per second in all, arriving at random; latency counts from the intended start.",
        HelpName = "PER-SECOND",
    };

    private static readonly Option<string> Placement = PlacementOption.Create();

    private static readonly Option<string> Mode = new Option<string>("--mode")
    {
        Description = "StreamTasks, or one RunTask call per task.",
        HelpName = "stream|unary",
        DefaultValueFactory = _ => "stream",
    }.AcceptOnlyFromAmong("stream", "unary");

    private static readonly Option<OptionTime?> Length = DurationOption.Option(
        "--duration", "The length of a round, or of a part of it: 5s, or 1s with --baseline.");

    private static readonly Option<int> Clients =
        new("--clients") { Description = "Connections, each with its own load.", HelpName = "N", DefaultValueFactory = _ => 1 };

    private static readonly Option<int> Rounds = BenchOptions.Rounds(5);

    private static readonly Option<bool> Beside = new("--beside")
    {
        Description = "Measure the load alone and beside another client that saturates the workers, in alternating rounds.",
    };

    private static readonly Option<bool> Cold = new("--cold")
    {
        Description = "Measure from the first task on, without a warm-up; a round with --count shows how fast a fresh coordinator becomes.",
    };

    public static Command Create()
    {
        var tasks = new Command("tasks", "Measures the throughput and latency of tasks.")
        {
            Handler, Input, Size, Count, InFlight, Rate, Placement, Mode, Length, Clients, Rounds, Beside, Cold,
            BenchOptions.Baseline, BenchOptions.Check, BenchOptions.MinRate, BenchOptions.MaxP99,
        }
            .Examples(
                "orchestrator bench tasks",
                "orchestrator bench tasks --mode unary --in-flight 1",
                "orchestrator bench tasks --rate 50000 --duration 10s",
                "orchestrator bench tasks --mode unary --beside",
                "orchestrator bench tasks --handler sum_of_squares --input '{\"n\": 1000}' --placement threads",
                "orchestrator bench tasks --baseline -o json")
            .HandledBy(RunAsync);
        var journal = new Command(
            "journal", "Measures acknowledged puts to durable queues, beside plain SQLite in the data directory.") { InFlight, Length }
            .Examples("orchestrator bench journal", "orchestrator bench journal --in-flight 256 --duration 2s")
            .HandledBy(MeasureJournalAsync);
        var overload = new Command(
            "overload", "Measures how one client is affected by another that offers ten times the workers' capacity.")
        {
            Length, BenchOptions.Check,
        }
            .Examples("scripts/overload", "orchestrator bench overload --duration 10s")
            .HandledBy(MeasureOverloadAsync);
        return new Command("bench", "Measures.")
        {
            tasks,
            journal,
            overload,
            ObjectBenchCommand.Create(
                "queue", "Measures queues: from the put in one process to the get in another.", QueueShapes.Figures, IdleObjects.Queues),
            ObjectBenchCommand.Create("pipe", "Measures pipes between two processes.", PipeShapes.Figures, IdleObjects.Pipes),
            ObjectBenchCommand.Create("state", "Measures shared dicts and counters.", StateShapes.Figures, IdleObjects.Values),
            ObjectBenchCommand.Create("lock", "Measures locks, alone and between two processes.", LockShapes.Figures, IdleObjects.Locks),
            PoolBenchCommand.Create(),
            CompareCommand.Create(),
            ScaleBenchCommand.Create(),
        };
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var settings = Settings(context);
        var clients = new List<OrchestratorClient>();
        try
        {
            for (var i = 0; i < settings.Clients; i++)
                clients.Add(await context.ConnectAsync(token));
            if (context.Get(Beside))
                return await BesideBench.RunAsync(settings, clients, context.ClientOptions(), context.Terminal, token);
            return context.Get(BenchOptions.Baseline)
                ? await BaselineBench.RunAsync(settings, clients, context.Terminal, token)
                : await TaskBench.RunAsync(settings, clients, context.Terminal, token);
        }
        finally
        {
            foreach (var client in clients)
                await client.DisposeAsync();
        }
    }

    private static async Task<int> MeasureJournalAsync(CommandContext context, CancellationToken token)
    {
        var inFlight = context.Get(InFlight) ?? 64;
        if (inFlight < 1)
            throw new UsageException($"--in-flight is {inFlight}, it must be at least 1.");
        await using var client = await context.ConnectAsync(token);
        var directory = context.NamedDirectory();
        return await JournalBench.RunAsync(
            client, directory, inFlight, context.Get(Length) ?? TimeSpan.FromSeconds(3), context.Terminal, token);
    }

    private static async Task<int> MeasureOverloadAsync(CommandContext context, CancellationToken token)
    {
        var phase = context.Get(Length) ?? TimeSpan.FromSeconds(5);
        if (phase < TimeSpan.FromSeconds(2))
            throw new UsageException(
                $"--duration is {phase.TotalSeconds:0.###} s, it must be at least 2 s: it is the length of each phase, before, during " +
                "and after.");
        await using var modest = await context.ConnectAsync(token);
        await using var greedy = await context.ConnectAsync(token);
        return await new OverloadBench(modest, greedy, phase, context.Terminal).RunAsync(context.Get(BenchOptions.Check), token);
    }

    private static TaskBenchSettings Settings(CommandContext context)
    {
        var unary = context.Get(Mode) == "unary";
        var rate = context.Get(Rate);
        var size = BenchOptions.ReadSize(context.Get(Size), least: 0);
        var input = context.Get(Input) is { } json ? JsonArgument.Parse(json, "--input") : Payloads.FromBytes(new byte[size]);
        var settings = new TaskBenchSettings
        {
            Handler = context.Get(Handler)!,
            Input = input,
            Size = input.ContentCase == Payload.ContentOneofCase.Data ? input.Data.Length : input.CalculateSize(),
            Options = new TaskOptions { Placement = PlacementOption.Parse(context.Get(Placement)) },
            Unary = unary,
            Clients = context.Get(Clients),
            InFlight = context.Get(InFlight) ?? (rate == 0 && context.Get(Beside) ? 1 : !unary ? 4_096 : rate > 0 ? 10_000 : 64),
            Rate = rate,
            Rounds = context.Get(Rounds),
            Plan = new RoundPlan(
                context.Get(Length) ?? TimeSpan.FromSeconds(context.Get(BenchOptions.Baseline) ? 1 : 5), context.Get(Count) ?? 0),
            Cold = context.Get(Cold),
            Json = context.Terminal.IsJson,
            MinRate = context.Get(BenchOptions.MinRate),
            MaxP99 = context.Get(BenchOptions.MaxP99),
            Check = context.Get(BenchOptions.Check),
        };
        if (settings.Clients < 1 || settings.InFlight < 1 || settings.Rounds < 1 || rate < 0 || settings.Plan.Count < 0)
            throw new UsageException("--clients, --in-flight and --rounds must be at least 1, --rate and --count not negative.");
        if (context.Get(BenchOptions.Baseline) && context.Get(Beside))
            throw new UsageException("--beside and --baseline are different measurements: give one of them.");
        if (context.Get(Cold) && (context.Get(BenchOptions.Baseline) || context.Get(Beside)))
            throw new UsageException("--cold measures one load: it goes without --baseline and --beside.");
        if (context.Get(BenchOptions.Baseline) && (rate > 0 || settings.Plan.Count > 0))
            throw new UsageException("--baseline measures fixed shapes in closed loops; it goes without --rate and --count.");
        return settings;
    }
}
