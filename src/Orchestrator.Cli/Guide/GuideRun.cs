using System.Diagnostics;
using Orchestrator.App;
using Orchestrator.Cli.Output;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Guide;

/// <summary>Runs rows in sequence, on one coordinator that it starts and ends.</summary>
internal sealed class GuideRun(Terminal terminal, IReadOnlyList<GuideRow> rows)
{
    // A row takes a few seconds; the limit allows for a busy machine.
    private static readonly TimeSpan RowLimit = TimeSpan.FromSeconds(60);

    private readonly List<GuideResult> _results = [];

    /// <summary>Runs all rows; null if a signal ended the run or the pool did not start.</summary>
    /// <returns>The results, and the exit code of the pool: 0, or the reason for missing results.</returns>
    public async Task<(IReadOnlyList<GuideResult> Results, int PoolExit)> RunAsync()
    {
        var app = GuideProgram.Create([]);
        var exit = await app.RunAsync(async (pool, stopping) =>
        {
            await WarmUpAsync(pool, stopping);
            foreach (var row in rows)
                _results.Add(await RunAsync(row, pool, stopping));
        });
        return (_results, exit);
    }

    private async Task<GuideResult> RunAsync(GuideRow row, IOrchestratorPool pool, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(RowLimit);
        var lines = new List<string>();
        Print($"{row.Name} · {row.Title} (§ {row.Section})");
        var guide = new GuideContext(row, pool, Print, limit.Token);
        var started = Stopwatch.GetTimestamp();
        string? skipped = null;
        try
        {
            await row.RunAsync(guide);
        }
        catch (GuideSkippedException exception)
        {
            skipped = exception.Message;
            Print($"  – skipped: {exception.Message}");
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            guide.Shows($"it ends within {Format.Time(RowLimit)}", false);
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            guide.Shows($"it runs to its end; but {exception.GetType().Name}: {exception.Message}", false);
        }

        var took = Stopwatch.GetElapsedTime(started);
        Print($"  {Format.Time(took)}");
        Print("");
        return new GuideResult(row, skipped, guide.Claims, lines, took);

        void Print(string line)
        {
            lines.Add(line);
            if (!terminal.IsJson)
                terminal.Line(line);
        }
    }

    /// <summary>The first task of a process includes JIT compilation; later measurements must not.</summary>
    private static async Task WarmUpAsync(IOrchestratorPool pool, CancellationToken token)
    {
        foreach (var place in Enum.GetValues<TaskPlacement>())
        {
            var warm = Enumerable.Repeat(new WorkInput(20_000), 100);
            await foreach (var _ in pool.WithPlacement(place).MapAsync<WorkInput, RunSpan>("guide_compute", warm, cancellationToken: token))
            {
            }
        }
    }
}

/// <summary>The outcome of a row.</summary>
/// <param name="Row">The row.</param>
/// <param name="Skipped">Why it could not be run here; null if it ran.</param>
/// <param name="Claims">Its claims.</param>
/// <param name="Lines">Its output.</param>
/// <param name="Took">How long it took.</param>
internal sealed record GuideResult(
    GuideRow Row, string? Skipped, IReadOnlyList<GuideClaim> Claims, IReadOnlyList<string> Lines, TimeSpan Took)
{
    public bool Failed => Skipped is null && (Claims.Count == 0 || Claims.Any(claim => !claim.Holds));

    public string Outcome => Skipped is not null ? "skipped" : Failed ? "failed" : "shown";
}
