using System.CommandLine;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench pool</c></summary>
internal static class PoolBenchCommand
{
    private static readonly Option<long?> Count = CountOption.Create("inputs of one map", 1_000_000);

    private static readonly Option<OptionSize?> Size = BenchOptions.Size("an input");

    private static readonly Option<int> InFlight =
        new("--in-flight") { Description = "The most in flight: tasks.", HelpName = "N", DefaultValueFactory = _ => 4_096 };

    private static readonly Option<int> Rounds = BenchOptions.Rounds(3);

    private static readonly Option<OptionSize?> MaxGrowth =
        ByteSizeOption.Option("--max-growth", "Exit with 4 if this program grows by more while it maps.");

    public static Command Create() =>
        new Command(
            "pool", "Measures a map over this program's own embedded pool beside StreamTasks to the coordinator, and the memory that the " +
                "map takes.")
        {
            Count, Size, InFlight, Rounds, BenchOptions.MinRatio, MaxGrowth,
        }
            .Examples(
                "orchestrator bench pool", "orchestrator bench pool --count 10000000 --rounds 1 --min-ratio 0.5 --max-growth 200MB")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var settings = new PoolBenchSettings
        {
            Count = context.Get(Count) ?? 0,
            Size = BenchOptions.ReadSize(context.Get(Size), least: 0),
            InFlight = context.Get(InFlight),
            Rounds = context.Get(Rounds),
            MinRatio = context.Get(BenchOptions.MinRatio),
            MaxGrowth = context.Get(MaxGrowth)?.Bytes,
            Json = context.Terminal.IsJson,
        };
        if (settings.Count < 1 || settings.InFlight < 1 || settings.Rounds < 1)
            throw new UsageException("--count, --in-flight and --rounds must be at least 1.");
        await using var client = await context.ConnectAsync(token);
        int? code = null;
        var exit = await BenchPool.RunAsync(
            client, async pool => code = await new PoolBench(settings, client, pool, context.Terminal).RunAsync(token), token);
        token.ThrowIfCancellationRequested();
        return code ?? exit;
    }
}
