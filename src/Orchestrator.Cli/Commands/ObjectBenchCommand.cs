using System.CommandLine;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench queue|pipe|state|lock</c>: one set of options, four lists of figures.</summary>
internal static class ObjectBenchCommand
{
    private static readonly Option<int> Size =
        new("--size") { Description = "Bytes of an item, message or value.", HelpName = "BYTES", DefaultValueFactory = _ => 64 };

    private static readonly Option<int> InFlight = new("--in-flight")
    {
        Description = "Items or operations in flight where pipelined.",
        HelpName = "N",
        DefaultValueFactory = _ => 4_096
    };

    private static readonly Option<int> Rounds =
        new("--rounds") { Description = "Rounds; the figures are their medians.", HelpName = "N", DefaultValueFactory = _ => 5 };

    private static readonly Option<TimeSpan?> Length = DurationOption.Option("--duration", "The length of a round of each figure.", 1);

    private static readonly Option<long> Count =
        new("--count") { Description = "Operations per round, instead of --duration.", HelpName = "N" };

    private static readonly Option<string[]> Only = new("--only")
    {
        Description = "Measure these figures only, by their keys.",
        HelpName = "KEY",
        AllowMultipleArgumentsPerToken = true
    };

    private static readonly Option<bool> Baseline =
        new("--baseline") { Description = "Measure bare gRPC in the same run too, and print each figure as a ratio to it." };

    private static readonly Option<bool> Json = new("--json") { Description = "The same as -o json." };

    private static readonly Option<TimeSpan?> MaxP99 = DurationOption.Option(
        "--max-p99", "Exit with 4 if a measured figure's 99th percentile is above this, or has too few samples.");

    private static readonly Option<double?> MinRate =
        new("--min-rate") { Description = "Exit with 4 if a measured figure has fewer per second.", HelpName = "PER-SECOND" };

    private static readonly Option<double?> MinRatio = new("--min-ratio")
    {
        Description = "With --baseline: exit with 4 if a measured figure is slower than this fraction of its baseline's speed.",
        HelpName = "RATIO",
    };

    private static readonly Option<bool> Check =
        new("--check") { Description = "With --baseline: exit with 4 if a ratio misses its target." };

    private static readonly Option<int?> Idle =
        new("--idle") { Description = "Instead: create this many, and measure the memory of each while idle.", HelpName = "N" };

    private static readonly Option<double?> MaxBytes =
        new("--max-bytes") { Description = "With --idle: exit with 4 if each takes more.", HelpName = "BYTES" };

    public static Command Create(string name, string description, IReadOnlyList<ObjectFigure> figures, IdleObjects idle)
    {
        var keys = figures.Select(figure => $"{figure.Key} ({figure.Name}{(figure.OnlyWhenNamed ? "; only if named" : "")})");
        return new Command(name, $"{description} Figures: {string.Join("; ", keys)}.")
        {
            Size, InFlight, Rounds, Length, Count, Only, Baseline, Check, Json, MaxP99, MinRate, MinRatio, Idle, MaxBytes,
        }
            .Examples(
                $"orchestrator bench {name} --baseline",
                $"orchestrator bench {name} --only {figures[0].Key} --max-p99 50ms --json",
                $"orchestrator bench {name} --idle 100000")
            .HandledBy(async (context, token) =>
            {
                var settings = Settings(context);
                await using var client = await context.ConnectAsync(token);
                return context.Get(Idle) is { } count
                    ? await idle.RunAsync(count, context.Get(MaxBytes), settings.Json, client, context.Terminal, token)
                    : await ObjectBench.RunAsync(name, figures, settings, client, context.Terminal, token);
            });
    }

    private static ObjectBenchSettings Settings(CommandContext context)
    {
        var settings = new ObjectBenchSettings
        {
            Size = context.Get(Size),
            InFlight = context.Get(InFlight),
            Rounds = context.Get(Rounds),
            Plan = new RoundPlan(context.Get(Length) ?? TimeSpan.FromSeconds(1), context.Get(Count)),
            Baseline = context.Get(Baseline),
            Only = [.. (context.Get(Only) ?? []).SelectMany(keys => keys.Split(',', StringSplitOptions.RemoveEmptyEntries))],
            Json = context.Get(Json) || context.Terminal.IsJson,
            MaxP99 = context.Get(MaxP99),
            MinRate = context.Get(MinRate),
            MinRatio = context.Get(MinRatio),
            Check = context.Get(Check),
        };
        if (settings.Size < Stamped.LeastBytes || settings.InFlight < 1 || settings.Rounds < 1 || settings.Plan.Count < 0
            || settings.Plan.Duration <= TimeSpan.Zero)
            throw new UsageException(
                "--in-flight and --rounds must be at least 1, --duration longer than 0, --count not negative and --size at least " +
                $"{Stamped.LeastBytes}, for the time of sending.");
        if (!settings.Baseline && (settings.MinRatio is not null || settings.Check))
            throw new UsageException("--min-ratio and --check compare with the baseline; they go with --baseline.");
        if (context.Get(Idle) is < 1)
            throw new UsageException("--idle must be at least 1.");
        if (context.Get(Idle) is null && context.Get(MaxBytes) is not null)
            throw new UsageException("--max-bytes goes with --idle.");
        return settings;
    }
}
