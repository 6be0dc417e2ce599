using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;

namespace Orchestrator.Cli.Bench;

/// <summary>One shape of load, several rounds: <c>orchestrator bench tasks</c> without a baseline.</summary>
internal static class TaskBench
{
    public static async Task<int> RunAsync(
        TaskBenchSettings settings, IReadOnlyList<OrchestratorClient> clients, Terminal terminal, CancellationToken token)
    {
        terminal.Note(settings.Describe());
        var shape = Shape(settings, clients);
        if (!settings.Cold)
        {
            terminal.Note("warming up …");
            await shape.RunAsync(WarmUp(settings), token);
        }

        var rounds = new List<RoundResult>();
        for (var i = 1; i <= settings.Rounds; i++)
        {
            var round = await shape.RunAsync(settings.Plan, token);
            rounds.Add(round);
            terminal.Note(
                $"round {i} of {settings.Rounds}: {Format.Rate(round.PerSecond)} tasks/s, p50 {Format.Time(round.Latency.At(50))}");
        }

        var figure = new FigureSummary(settings.Unary ? "unary" : "stream", rounds);
        if (settings.Json)
            terminal.WriteJson(new { bench = settings.Describe(), figure = figure.ToJson() });
        else
            Print(terminal, settings, figure);
        return Verdict(settings, figure, terminal);
    }

    public static ILoadShape Shape(TaskBenchSettings settings, IReadOnlyList<OrchestratorClient> clients)
    {
        var load = settings.Load;
        if (!settings.Unary)
        {
            return settings.Rate > 0
                ? new OpenStreamLoop(clients, load, settings.Rate, settings.InFlight)
                : new TaskStreamLoop(clients, load, settings.InFlight);
        }

        Func<int, CancellationToken, Task<string?>> call = (client, cancel) => load.RunAsync(clients[client], cancel);
        return settings.Rate > 0
            ? new OpenUnaryLoop(call, clients.Count, settings.Rate, settings.InFlight)
            : new UnaryLoop(call, clients.Count, settings.InFlight);
    }

    // Long enough for the JIT to recompile the hot paths of all processes with their profiles.
    public static RoundPlan WarmUp(TaskBenchSettings settings) => settings.Plan.Count > 0
        ? new RoundPlan(TimeSpan.Zero, Math.Max(1, Math.Min(settings.Plan.Count, 100_000)))
        : new RoundPlan(TimeSpan.FromSeconds(Math.Clamp(settings.Plan.Duration.TotalSeconds, 2, 5)), 0);

    private static void Print(Terminal terminal, TaskBenchSettings settings, FigureSummary figure)
    {
        terminal.Line();
        terminal.Line($"  throughput   {Format.Rate(figure.PerSecond)} tasks/s " +
                      $"(median of {figure.Rounds.Count}; {Format.Rate(figure.SlowestPerSecond)} to " +
                      $"{Format.Rate(figure.FastestPerSecond)})");
        if (figure.OfferedRate is { } offered)
        {
            terminal.Line($"  offered      {Format.Rate(offered)} tasks/s; achieved {figure.PerSecond / offered:P1}, " +
                          "latency counts from the intended start");
        }

        if (figure.ItemsPerMessage is { } items)
            terminal.Line($"  batches      {Format.Number(items)} tasks per message on average");
        foreach (var (percentile, latency) in figure.Latency)
        {
            var name = FormattableString.Invariant($"p{percentile}").PadRight(7);
            terminal.Line(latency is { } time
                ? $"  {name}      {Format.Time(time)}"
                : $"  {name}      – needs {Format.Count(LatencyRecorder.SamplesNeeded(percentile))} samples a round, has " +
                    $"{Format.Count(figure.FewestSamples)}");
        }

        terminal.Line($"  max          {Format.Time(figure.Max)}");
        if (figure.Failed > 0)
            terminal.Line(
                $"  failed       {Format.Count(figure.Failed)} of {Format.Count(figure.Completed)}; the first: {figure.FirstError}");
        if (settings.Rate > 0 && figure.OfferedRate is { } rate && figure.PerSecond < rate * 0.97)
            terminal.Line("  The system did not keep up with the offered rate: the latencies grow with the length of the run.");
    }

    /// <summary>The exit code: whether the figure meets the thresholds and nothing failed.</summary>
    public static int Verdict(TaskBenchSettings settings, FigureSummary figure, Terminal terminal)
    {
        var missed = false;
        if (settings.MinRate is { } least && figure.PerSecond < least)
        {
            terminal.Error($"threshold missed: {Format.Rate(figure.PerSecond)} tasks/s is below {Format.Rate(least)}");
            missed = true;
        }

        if (settings.MaxP99 is { } most && !(figure.Latency[99] <= most))
        {
            terminal.Error($"threshold missed: p99 {Format.Time(figure.Latency[99])} is not within {Format.Time(most)}");
            missed = true;
        }

        return missed ? ExitCode.ThresholdMissed : figure.Failed > 0 ? ExitCode.TaskFailed : ExitCode.Ok;
    }
}
