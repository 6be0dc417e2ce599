using Grpc.Core;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>Measures the chosen figures, each in turn with its baseline, and checks the thresholds.</summary>
internal static class ObjectBench
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.7);

    /// <param name="title">The verb.</param>
    /// <param name="all">All figures that can be measured.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="client">The coordinator.</param>
    /// <param name="terminal">The output.</param>
    /// <param name="token">Gives up.</param>
    public static async Task<int> RunAsync(
        string title, IReadOnlyList<ObjectFigure> all, ObjectBenchSettings settings, OrchestratorClient client, Terminal terminal,
        CancellationToken token)
    {
        var chosen = Choose(all, settings.Only);
        try
        {
            await using var run = new ObjectBenchRun(settings, client, token);
            var entries = new List<Entry>();
            foreach (var figure in chosen)
                entries.Add(await CreateAsync(run, figure));
            var shapes = entries.SelectMany(entry => entry.Shapes).DistinctBy(shape => shape.Name).ToArray();
            var what = $"bench {title}: {string.Join(", ", chosen.Select(figure => figure.Key))}; {Format.Count(settings.Size)} B, " +
                       $"{Format.Count(settings.InFlight)} in flight where pipelined, {settings.Rounds} " +
                       $"round{(settings.Rounds == 1 ? "" : "s")}";
            terminal.Note(what);
            terminal.Note("warming up …");
            // Run all twice: code that the JIT recompiles in the first pass is ready for the second.
            foreach (var (_, shape) in shapes.Concat(shapes))
                await shape.RunAsync(WarmUpPlan(settings.Plan), token);
            var rounds = await MeasureAsync(settings, entries, shapes, terminal, token);
            return Report(what, settings, entries, rounds, terminal);
        }
        catch (RpcException exception)
        {
            throw client.Errors.Map(exception);
        }
    }

    private static List<ObjectFigure> Choose(IReadOnlyList<ObjectFigure> all, IReadOnlyList<string> only)
    {
        if (only.Count == 0)
            return [.. all.Where(figure => !figure.OnlyWhenNamed)];
        var unknown = only.FirstOrDefault(key => all.All(figure => figure.Key != key));
        return unknown is null
            ? [.. all.Where(figure => only.Contains(figure.Key))]
            : throw new UsageException($"There is no figure '{unknown}'; there are {string.Join(", ", all.Select(figure => figure.Key))}.");
    }

    private static async Task<Entry> CreateAsync(ObjectBenchRun run, ObjectFigure figure)
    {
        var entry = new Entry(figure, figure.Create(run));
        if (run.Settings.Baseline)
            (entry.BareName, entry.Bare) = await run.BaselineAsync(figure, () => entry.ItemsPerMessage);
        return entry;
    }

    private static RoundPlan WarmUpPlan(RoundPlan plan) => plan.Count > 0
        ? plan
        : new RoundPlan(plan.Duration < WarmUp ? plan.Duration : WarmUp, 0);

    private static async Task<Dictionary<string, List<RoundResult>>> MeasureAsync(
        ObjectBenchSettings settings, List<Entry> entries, (string Name, ILoadShape Shape)[] shapes, Terminal terminal,
        CancellationToken token)
    {
        var rounds = shapes.ToDictionary(shape => shape.Name, _ => new List<RoundResult>());
        for (var i = 1; i <= settings.Rounds; i++)
        {
            foreach (var (name, shape) in shapes)
            {
                var round = await shape.RunAsync(settings.Plan, token);
                rounds[name].Add(round);
                if (entries.Find(entry => entry.Figure.Name == name) is { } ours)
                    ours.ItemsPerMessage = Math.Max(1, (int)Math.Round(round.ItemsPerMessage ?? 1));
            }

            terminal.Note($"round {i} of {settings.Rounds}: {Format.Rate(rounds[shapes[0].Name][^1].PerSecond)}/s, {shapes[0].Name}");
        }

        return rounds;
    }

    private static int Report(
        string what, ObjectBenchSettings settings, List<Entry> entries, Dictionary<string, List<RoundResult>> rounds, Terminal terminal)
    {
        var figures = rounds.ToDictionary(pair => pair.Key, pair => new FigureSummary(pair.Key, pair.Value));
        var compared = entries.Where(entry => entry.Bare is not null).Select(entry => entry.Comparison.Of(figures)).ToArray();
        if (settings.Json)
        {
            terminal.WriteJson(new
            {
                bench = what,
                comparisons = compared.Select(line => line.ToJson()),
                figures = figures.Values.Select(
                    figure => figure.ToJson(entries.Find(entry => entry.Figure.Name == figure.Name)?.Figure.Key)),
            });
        }
        else
        {
            Print(terminal, settings, entries, figures, compared);
        }

        var missed = Misses(settings, entries, figures, compared).ToArray();
        foreach (var line in missed)
            terminal.Error($"threshold missed: {line}");
        var failed = figures.Values.FirstOrDefault(figure => figure.Failed > 0);
        if (failed is not null)
            terminal.Error(
                $"{failed.Name}: {Format.Count(failed.Failed)} of {Format.Count(failed.Completed)} failed; the first: {failed.FirstError}");
        return missed.Length > 0 ? ExitCode.ThresholdMissed : failed is not null ? ExitCode.TaskFailed : ExitCode.Ok;
    }

    private static void Print(
        Terminal terminal, ObjectBenchSettings settings, List<Entry> entries, Dictionary<string, FigureSummary> figures,
        Compared[] compared)
    {
        terminal.Line();
        if (compared.Length > 0)
        {
            terminal.Line("Ours against bare gRPC of the same run (each ratio is the median over the rounds):");
            terminal.WriteGrid(Compared.Columns, compared.Select(line => line.ToRow()));
        }

        terminal.Line("All figures (medians; a percentile needs ten samples beyond it in each round):");
        terminal.WriteGrid(
            [new("key"), new("figure"), new("per second", true), new("MB/s", true), new("p50", true), new("p99", true), new("p99.9", true),
                new("items per message", true)],
            figures.Values.Select(figure =>
            {
                var ours = entries.Find(entry => entry.Figure.Name == figure.Name)?.Figure;
                return (string[])
                [
                    ours?.Key ?? "",
                    figure.Name,
                    Format.Rate(figure.PerSecond),
                    ours is { IsRate: true } ? Format.Number(figure.PerSecond * (ours.ItemBytes ?? settings.Size) / 1e6) : "",
                    Format.Time(figure.P50),
                    Format.Time(figure.Latency[99]),
                    Format.Time(figure.Latency[99.9]),
                    figure.ItemsPerMessage is { } items ? Format.Number(items) : "",
                ];
            }));
    }

    private static IEnumerable<string> Misses(
        ObjectBenchSettings settings, List<Entry> entries, Dictionary<string, FigureSummary> figures, Compared[] compared)
    {
        foreach (var figure in entries.Select(entry => figures[entry.Figure.Name]))
        {
            if (settings.MinRate is { } least && figure.PerSecond < least)
                yield return $"{figure.Name}: {Format.Rate(figure.PerSecond)}/s is below {Format.Rate(least)}";
            if (settings.MaxP99 is not { } most || figure.Latency[99] <= most)
                continue;
            yield return figure.Latency[99] is { } p99
                ? $"{figure.Name}: p99 {Format.Time(p99)} is above {Format.Time(most)}"
                : $"{figure.Name}: p99 needs {Format.Count(LatencyRecorder.SamplesNeeded(99))} samples a round, has " +
                    $"{Format.Count(figure.FewestSamples)}";
        }

        foreach (var line in compared)
        {
            // One number for both: the speed relative to the baseline. The ratio of latencies is inverted.
            var speed = line.Line.IsRate ? line.Ratio : 1 / line.Ratio;
            if (settings.MinRatio is { } least && !(speed >= least))
                yield return $"{line.Ours.Name}: {Format.Number(speed ?? 0)} × the speed of {line.Bare.Name} is below " +
                    $"{Format.Number(least)}";
            if (settings.Check && line.Met is false)
                yield return FormattableString.Invariant(
                    $"{line.Ours.Name}: {line.Ratio:0.00} × {line.Bare.Name}, the target is {line.Line.Limit:0.0}");
        }
    }

    /// <summary>A chosen figure, with its baseline if one is requested.</summary>
    private sealed class Entry(ObjectFigure figure, ILoadShape shape)
    {
        public ObjectFigure Figure => figure;

        public string BareName { get; set; } = "";

        public ILoadShape? Bare { get; set; }

        /// <summary>The items per message of the last round, for the baseline to send as many.</summary>
        public int ItemsPerMessage { get; set; } = 64;

        public IEnumerable<(string Name, ILoadShape Shape)> Shapes =>
            Bare is { } bare ? [(figure.Name, shape), (BareName, bare)] : [(figure.Name, shape)];

        public Comparison Comparison => new(figure.Target, figure.Name, BareName, figure.IsRate, figure.Limit);
    }
}
