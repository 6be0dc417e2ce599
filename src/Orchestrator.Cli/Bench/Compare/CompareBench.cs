using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Output;
using Orchestrator.Client;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The settings of <c>orchestrator bench compare</c>.</summary>
internal sealed record CompareSettings
{
    public required IReadOnlyList<CompareWorkload> Kinds { get; init; }

    /// <summary>
    /// Sizes of computing tasks, ascending. Waiting and mixed tasks use only sizes of at least a millisecond: no timer is finer.
    /// </summary>
    public required IReadOnlyList<TimeSpan> Sizes { get; init; }

    public required int Rounds { get; init; }

    /// <summary>The shortest run of each way per size and round.</summary>
    public required TimeSpan Duration { get; init; }

    public required bool Memory { get; init; }

    public required bool SpeedUp { get; init; }

    public string? Report { get; init; }

    public required bool Json { get; init; }
}

/// <summary>Runs the same tasks in every way, and reports the task size from which processes pay off.</summary>
internal sealed class CompareBench(CompareSettings settings, OrchestratorClient client, StartedPool pool, Terminal terminal)
{
    private static readonly TimeSpan FinestTimer = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneAtATime = TimeSpan.FromMilliseconds(100) / 1000;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan SpeedUpTask = TimeSpan.FromMilliseconds(5);

    private readonly ComparePlaces _places = new(client, pool.Pool);

    // Long enough for four of the largest tasks in sequence, so that even their measurement has several samples.
    private const int LeastTasks = 4;

    public async Task<CompareResult> RunAsync(CancellationToken token)
    {
        terminal.Note("measuring how fast this machine computes …");
        var samplesPerSecond = CompareWork.Calibrate();
        var cases = Cases(samplesPerSecond);
        terminal.Note("warming up …");
        // Run all twice: code that the JIT recompiles in the first pass is ready for the second.
        foreach (var mode in CompareMode.All.Concat(CompareMode.All))
            await mode.Create(cases[0], _places, cases[0].InFlight).RunAsync(new RoundPlan(settings.Duration, 0), token);
        var rounds = cases.ToDictionary(work => work, _ => CompareMode.All.ToDictionary(mode => mode, _ => new List<RoundResult>()));
        for (var i = 1; i <= settings.Rounds; i++)
        {
            foreach (var work in cases)
            {
                // Alternate the ways, so that each round of one is next to a round of every other.
                foreach (var mode in CompareMode.All)
                    rounds[work][mode].Add(await mode.Create(work, _places, work.InFlight).RunAsync(Plan(work), token));
            }

            terminal.Note($"round {i} of {settings.Rounds} is done");
        }

        var cells = from work in cases
                    from mode in CompareMode.All
                    select new CompareCell(mode, work.Kind, work.Size, new FigureSummary(mode.Name, rounds[work][mode]));
        var result =
            new CompareResult { Machine = Machine(), Cells = [.. cells], OneAtATime = await OneAtATimeAsync(samplesPerSecond, token) };
        if (settings.SpeedUp)
            result = result with { SpeedUps = await SpeedUpsAsync(samplesPerSecond, token) };
        return settings.Memory ? result with { Costs = await new CostBench(client, pool, terminal).RunAsync(token) } : result;
    }

    /// <summary>The machine's description, for people to read.</summary>
    private static string Machine() =>
        $"{Environment.ProcessorCount} core{(Environment.ProcessorCount == 1 ? "" : "s")}, " +
        $"{System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}, " +
        System.Runtime.InteropServices.RuntimeInformation.OSDescription;

    private List<CompareWork> Cases(double samplesPerSecond) =>
    [
        .. from kind in settings.Kinds
           from size in settings.Sizes
           where kind == CompareWorkload.Cpu || size >= FinestTimer
           select new CompareWork(kind, size, samplesPerSecond),
    ];

    private RoundPlan Plan(CompareWork work) =>
        new(settings.Duration > work.Size * LeastTasks ? settings.Duration : work.Size * LeastTasks, 0);

    private async Task<IReadOnlyList<CompareCell>> OneAtATimeAsync(double samplesPerSecond, CancellationToken token)
    {
        var cells = new List<CompareCell>();
        var work = new CompareWork(CompareWorkload.Cpu, OneAtATime, samplesPerSecond);
        foreach (var mode in CompareMode.All)
        {
            var round = await mode.Create(work, _places, 1).RunAsync(new RoundPlan(settings.Duration, 0), token);
            cells.Add(new CompareCell(mode, work.Kind, work.Size, new FigureSummary(mode.Name, [round])));
        }

        return cells;
    }

    /// <summary>Changes the number of workers for the duration of the measurement.</summary>
    private async Task<IReadOnlyList<SpeedUp>> SpeedUpsAsync(double samplesPerSecond, CancellationToken token)
    {
        var before = (await client.Contract.GetStatusAsync(token)).Workers.Count;
        var work = new CompareWork(CompareWorkload.Cpu, SpeedUpTask, samplesPerSecond);
        var points = new List<SpeedUp>();
        try
        {
            for (var workers = 1; workers <= Environment.ProcessorCount; workers++)
            {
                await WorkerScale.ToAsync(client, workers, token);
                // A newly started worker JIT-compiles its code first.
                await CompareMode.Stream.Create(work, _places, work.InFlight).RunAsync(new RoundPlan(WarmUp, 0), token);
                var ratios = new List<double>();
                for (var i = 0; i < settings.Rounds; i++)
                {
                    var alone = await CompareMode.Sequential.Create(work, _places, 1).RunAsync(Plan(work), token);
                    var together = await CompareMode.Stream.Create(work, _places, work.InFlight).RunAsync(Plan(work), token);
                    ratios.Add(together.PerSecond / alone.PerSecond);
                }

                points.Add(new SpeedUp(workers, FigureSummary.Median(ratios)));
                terminal.Note(FormattableString.Invariant(
                    $"{workers} worker{(workers == 1 ? "" : "s")}: {points[^1].Factor:0.00} × one sequential program"));
            }
        }
        finally
        {
            await WorkerScale.ToAsync(client, before, CancellationToken.None);
        }

        return points;
    }
}

/// <summary>Changes the number of workers, and waits until all of them serve.</summary>
internal static class WorkerScale
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    public static async Task ToAsync(OrchestratorClient client, int workers, CancellationToken token)
    {
        await client.ScaleWorkersAsync(workers, cancellationToken: token);
        while ((await client.Contract.GetStatusAsync(token)).Workers.Count(worker => worker.State == V1.WorkerState.Ready) < workers)
            await Task.Delay(Look, TimeProvider.System, token);
    }
}
