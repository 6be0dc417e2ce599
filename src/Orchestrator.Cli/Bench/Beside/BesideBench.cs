using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Connection;

namespace Orchestrator.Cli.Bench.Beside;

/// <summary>
/// The same load alone and beside a client that saturates the workers, in alternating rounds: <c>orchestrator bench tasks --beside</c>.
/// </summary>
internal static class BesideBench
{
    /// <param name="settings">The load to measure.</param>
    /// <param name="clients">Its clients.</param>
    /// <param name="options">How the other client reaches the coordinator.</param>
    /// <param name="terminal">The output.</param>
    /// <param name="token">Gives up.</param>
    public static async Task<int> RunAsync(
        TaskBenchSettings settings, IReadOnlyList<OrchestratorClient> clients, OrchestratorClientOptions options, Terminal terminal,
        CancellationToken token)
    {
        var what = $"{settings.Describe()}; alone and beside another client that saturates the workers";
        terminal.Note(what);
        var shape = TaskBench.Shape(settings, clients);
        await using var other = await SaturatingClient.StartAsync(options, settings.Size, token);
        terminal.Note("warming up …");
        var warmUp = TaskBench.WarmUp(settings);
        await shape.RunAsync(warmUp, token);
        await other.BesideAsync(() => shape.RunAsync(warmUp, token), token);
        var (alone, beside, rates) = (new List<RoundResult>(), new List<RoundResult>(), new List<double>());
        for (var i = 1; i <= settings.Rounds; i++)
        {
            alone.Add(await shape.RunAsync(settings.Plan, token));
            var (round, rate) = await other.BesideAsync(() => shape.RunAsync(settings.Plan, token), token);
            beside.Add(round);
            rates.Add(rate);
            terminal.Note(
                $"round {i} of {settings.Rounds}: p50 {Format.Time(alone[^1].Latency.At(50))} alone, {Format.Time(round.Latency.At(50))} " +
                $"beside {Format.Rate(rate)} tasks/s");
        }

        FigureSummary[] figures = [new("alone", alone), new("beside", beside)];
        var otherRate = FigureSummary.Median(rates);
        if (settings.Json)
            terminal.WriteJson(new { bench = what, other_per_second = otherRate, figures = figures.Select(figure => figure.ToJson()) });
        else
            Print(terminal, figures, otherRate);
        return TaskBench.Verdict(settings, figures[1], terminal);
    }

    private static void Print(Terminal terminal, FigureSummary[] figures, double otherRate)
    {
        terminal.Line();
        terminal.WriteGrid(
            [new("the client"), new("tasks/s", true), new("p50", true), new("p90", true), new("p99", true), new("max", true)],
            figures.Select(figure => (string[])
            [
                figure.Name, Format.Rate(figure.PerSecond), Format.Time(figure.P50), Format.Time(figure.Latency[90]),
                Format.Time(figure.Latency[99]), Format.Time(figure.Max),
            ]));
        terminal.Line($"The other client ran {Format.Rate(otherRate)} tasks/s meanwhile (medians of {figures[0].Rounds.Count}).");
        if (figures.FirstOrDefault(figure => figure.Failed > 0) is { } failed)
            terminal.Error($"{failed.Name}: {Format.Count(failed.Failed)} tasks failed; the first: {failed.FirstError}");
    }
}
