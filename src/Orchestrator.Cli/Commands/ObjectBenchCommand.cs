using System.CommandLine;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench queue|pipe|state|lock</c>: one set of options, four lists of figures.</summary>
internal static class ObjectBenchCommand
{
    private static readonly Option<OptionSize?> Size = BenchOptions.Size("an item, message or value");

    private static readonly Option<int> InFlight = new("--in-flight")
    {
        Description = "The most in flight: items or operations, where pipelined.",
        HelpName = "N",
        DefaultValueFactory = _ => 4_096,
    };

    private static readonly Option<int> Rounds = BenchOptions.Rounds(5);

    private static readonly Option<OptionTime?> Length = DurationOption.Option(
        "--duration", "The length of a round of each figure.", TimeSpan.FromSeconds(1));

    private static readonly Option<long?> Count = CountOption.Create("operations per round, instead of --duration");

    private static readonly Option<string[]> Only = new("--only")
    {
        Description = "Measure these figures only, by their keys.",
        HelpName = "KEY",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int?> Idle =
        new("--idle") { Description = "Instead: create this many, and measure the memory of each while idle.", HelpName = "N" };

    private static readonly Option<OptionSize?> MaxBytes =
        ByteSizeOption.Option("--max-bytes", "With --idle: exit with 4 if each takes more.");

    public static Command Create(string name, string description, IReadOnlyList<ObjectFigure> figures, IdleObjects idle)
    {
        var keys = figures.Select(figure => $"{figure.Key} ({figure.Name}{(figure.OnlyWhenNamed ? "; only if named" : "")})");
        return new Command(name, $"{description} Figures: {string.Join("; ", keys)}.")
        {
            Size, InFlight, Rounds, Length, Count, Only, BenchOptions.Baseline, BenchOptions.Check, BenchOptions.MaxP99,
            BenchOptions.MinRate, BenchOptions.MinRatio, Idle, MaxBytes,
        }
            .Examples(
                $"orchestrator bench {name} --baseline",
                $"orchestrator bench {name} --only {figures[0].Key} --max-p99 50ms -o json",
                $"orchestrator bench {name} --idle 100000")
            .HandledBy(async (context, token) =>
            {
                var settings = Settings(context);
                await using var client = await context.ConnectAsync(token);
                return context.Get(Idle) is { } count
                    ? await idle.RunAsync(count, context.Get(MaxBytes)?.Bytes, settings.Json, client, context.Terminal, token)
                    : await ObjectBench.RunAsync(name, figures, settings, client, context.Terminal, token);
            });
    }

    private static ObjectBenchSettings Settings(CommandContext context)
    {
        var settings = new ObjectBenchSettings
        {
            Size = BenchOptions.ReadSize(context.Get(Size), Stamped.LeastBytes),
            InFlight = context.Get(InFlight),
            Rounds = context.Get(Rounds),
            Plan = new RoundPlan(context.Get(Length) ?? TimeSpan.FromSeconds(1), context.Get(Count) ?? 0),
            Baseline = context.Get(BenchOptions.Baseline),
            Only = [.. (context.Get(Only) ?? []).SelectMany(keys => keys.Split(',', StringSplitOptions.RemoveEmptyEntries))],
            Json = context.Terminal.IsJson,
            MaxP99 = context.Get(BenchOptions.MaxP99),
            MinRate = context.Get(BenchOptions.MinRate),
            MinRatio = context.Get(BenchOptions.MinRatio),
            Check = context.Get(BenchOptions.Check),
        };
        if (settings.InFlight < 1 || settings.Rounds < 1 || settings.Plan.Count < 0 || settings.Plan.Duration <= TimeSpan.Zero)
            throw new UsageException("--in-flight and --rounds must be at least 1, --duration longer than 0, --count not negative.");
        if (!settings.Baseline && (settings.MinRatio is not null || settings.Check))
            throw new UsageException("--min-ratio and --check compare with the baseline; they go with --baseline.");
        if (context.Get(Idle) is < 1)
            throw new UsageException("--idle must be at least 1.");
        if (context.Get(Idle) is null && context.Get(MaxBytes) is not null)
            throw new UsageException("--max-bytes goes with --idle.");
        return settings;
    }
}
