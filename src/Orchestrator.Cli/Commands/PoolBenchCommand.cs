using System.CommandLine;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Cli.Common;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench pool</c></summary>
internal static class PoolBenchCommand
{
    private const int LargestInput = 4_000_000;

    private static readonly Option<long> Count =
        new("--count") { Description = "Inputs of one map.", HelpName = "N", DefaultValueFactory = _ => 1_000_000 };

    private static readonly Option<int> Size =
        new("--size") { Description = "Bytes of an input.", HelpName = "BYTES", DefaultValueFactory = _ => 64 };

    private static readonly Option<int> InFlight =
        new("--in-flight") { Description = "Tasks in flight.", HelpName = "N", DefaultValueFactory = _ => 4_096 };

    private static readonly Option<int> Rounds =
        new("--rounds") { Description = "Rounds; the figures are their medians.", HelpName = "N", DefaultValueFactory = _ => 3 };

    private static readonly Option<double?> MinRatio = new("--min-ratio")
    {
        Description =
        "Exit with 4 if the map is slower than this fraction of the stream's rate.",
        HelpName = "RATIO"
    };

    private static readonly Option<long?> MaxGrowth =
        new("--max-growth") { Description = "Exit with 4 if this program grows by more while it maps.", HelpName = "BYTES" };

    private static readonly Option<bool> Json = new("--json") { Description = "The same as -o json." };

    public static Command Create() =>
        new Command(
            "pool", "Measures a map over this program's own embedded pool beside StreamTasks to the coordinator, and the memory that the " +
                "map takes.")
        {
            Count, Size, InFlight, Rounds, MinRatio, MaxGrowth, Json,
        }
            .Examples(
                "orchestrator bench pool", "orchestrator bench pool --count 10000000 --rounds 1 --min-ratio 0.5 --max-growth 200000000")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var settings = new PoolBenchSettings
        {
            Count = context.Get(Count),
            Size = context.Get(Size),
            InFlight = context.Get(InFlight),
            Rounds = context.Get(Rounds),
            MinRatio = context.Get(MinRatio),
            MaxGrowth = context.Get(MaxGrowth),
            Json = context.Get(Json) || context.Terminal.IsJson,
        };
        if (settings.Count < 1 || settings.InFlight < 1 || settings.Rounds < 1 || settings.Size is < 0 or > LargestInput)
            throw new UsageException($"--count, --in-flight and --rounds must be at least 1, and --size between 0 and {LargestInput}.");
        await using var client = await context.ConnectAsync(token);
        int? code = null;
        var exit = await BenchPool.RunAsync(
            client, async pool => code = await new PoolBench(settings, client, pool, context.Terminal).RunAsync(token), token);
        token.ThrowIfCancellationRequested();
        return code ?? exit;
    }
}
