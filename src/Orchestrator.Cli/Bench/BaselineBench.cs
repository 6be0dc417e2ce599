using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;

namespace Orchestrator.Cli.Bench;

/// <summary>Runs the <see cref="BaselineSuite"/> and prints each of our figures as a ratio to its baseline.</summary>
internal static class BaselineBench
{
    // The product's figure · its baseline · throughput, or median latency · the target.
    private static readonly Comparison[] Comparisons =
    [
        new("P1", Figure.StreamFull, Figure.BareProxy, IsRate: true, 0.5),
        new("", Figure.StreamFull, Figure.BareStreamTcp, IsRate: true, null),
        new("P1", Figure.LocalStreamFull, Figure.BareProxy, IsRate: true, 0.7),
        new("", Figure.LocalStreamFull, Figure.StreamFull, IsRate: true, 1.3),
        new("P2", Figure.StreamOne, Figure.BareUnaryTcp, IsRate: false, 1.2),
        new("", Figure.StreamOne, Figure.BareProxyPingPong, IsRate: false, null),
        new("", Figure.LocalStreamOne, Figure.BareUnaryTcp, IsRate: false, null),
        new("P3", Figure.Unary64, Figure.BareUnary64Tcp, IsRate: true, 0.7),
        new("", Figure.Unary64, Figure.BareProxyUnary64, IsRate: true, null),
        new("", Figure.LocalUnary64, Figure.BareUnary64Tcp, IsRate: true, null),
        new("", Figure.UnaryOne, Figure.BareUnaryTcp, IsRate: false, null),
        new("", Figure.LocalUnaryOne, Figure.BareUnaryTcp, IsRate: false, null),
    ];

    public static async Task<int> RunAsync(
        TaskBenchSettings settings, IReadOnlyList<OrchestratorClient> clients, Terminal terminal, CancellationToken token)
    {
        await using var suite = await BaselineSuite.StartAsync(settings, clients, token);
        terminal.Note(
            $"{settings.Handler}, {Format.Count(settings.Size)} B; {Format.Count(settings.InFlight)} in flight where pipelined; " +
                      $"{suite.Figures.Count} figures, {settings.Rounds} rounds, ours and bare in turn");
        terminal.Note("warming up …");
        // Run all twice: code that the JIT recompiles in the first pass is ready for the second.
        foreach (var (_, shape) in suite.Figures.Concat(suite.Figures))
            await shape.RunAsync(new RoundPlan(TimeSpan.FromSeconds(Math.Min(0.7, settings.Plan.Duration.TotalSeconds)), 0), token);

        var rounds = suite.Figures.ToDictionary(figure => figure.Name, _ => new List<RoundResult>());
        for (var i = 1; i <= settings.Rounds; i++)
        {
            foreach (var (name, shape) in suite.Figures)
            {
                var round = await shape.RunAsync(settings.Plan, token);
                rounds[name].Add(round);
                if (name == Figure.StreamFull)
                    suite.MatchBatches(round);
            }

            terminal.Note($"round {i} of {settings.Rounds}: {Format.Rate(rounds[Figure.StreamFull][^1].PerSecond)} tasks/s on the stream");
        }

        var figures = rounds.ToDictionary(pair => pair.Key, pair => new FigureSummary(pair.Key, pair.Value));
        var compared = Comparisons
            .Where(comparison => figures.ContainsKey(comparison.Ours)).Select(comparison => comparison.Of(figures)).ToArray();
        if (settings.Json)
        {
            terminal.WriteJson(new
            {
                bench = settings.Describe(),
                comparisons = compared.Select(line => line.ToJson()),
                figures = figures.Values.Select(figure => figure.ToJson()),
            });
        }
        else
        {
            Print(terminal, figures, compared);
        }

        var failed = figures.Values.FirstOrDefault(figure => figure.Failed > 0);
        if (failed is not null)
            terminal.Error(
                $"{failed.Name}: {Format.Count(failed.Failed)} of {Format.Count(failed.Completed)} failed; the first: {failed.FirstError}");
        if (settings.Check && compared.Any(line => line.Met is false))
            return ExitCode.ThresholdMissed;
        return failed is not null ? ExitCode.TaskFailed : ExitCode.Ok;
    }

    private static void Print(Terminal terminal, Dictionary<string, FigureSummary> figures, Compared[] compared)
    {
        terminal.Line();
        terminal.Line("Ours against bare gRPC of the same run (each ratio is the median over the rounds):");
        terminal.WriteGrid(
            Compared.Columns,
            compared.Select(line => line.ToRow()));
        terminal.Line("All figures (medians):");
        terminal.WriteGrid(
            [new("figure"), new("per second", true), new("p50", true), new("p99", true), new("tasks per message", true)],
            figures.Values.Select(figure => (string[])
            [
                figure.Name,
                Format.Rate(figure.PerSecond),
                Format.Time(figure.P50),
                Format.Time(figure.Latency[99]),
                figure.ItemsPerMessage is { } items ? Format.Number(items) : "",
            ]));
    }
}
