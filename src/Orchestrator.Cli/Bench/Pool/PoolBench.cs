using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Report;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Client;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Cli.Bench.Pool;

/// <summary>The settings of <c>orchestrator bench pool</c>.</summary>
internal sealed record PoolBenchSettings
{
    /// <summary>Inputs of one map.</summary>
    public required long Count { get; init; }

    /// <summary>Bytes of an input.</summary>
    public required int Size { get; init; }

    public required int InFlight { get; init; }

    public required int Rounds { get; init; }

    public double? MinRatio { get; init; }

    /// <summary>Bytes by which this program may grow while it maps.</summary>
    public long? MaxGrowth { get; init; }

    public required bool Json { get; init; }
}

/// <summary>
/// Maps over the pool of this program, and streams the same tasks to a coordinator in another process, in turn; then runs them in the pool
/// one at a time.
/// </summary>
internal sealed class PoolBench(PoolBenchSettings settings, OrchestratorClient client, StartedPool pool, Terminal terminal)
{
    private const long WarmUpTasks = 100_000;

    private static readonly RoundPlan OneAtATime = new(TimeSpan.FromSeconds(1), 0);

    public async Task<int> RunAsync(CancellationToken token)
    {
        var load = new TaskLoad("echo", Payloads.FromBytes(new byte[settings.Size]), null);
        var mapping = new PoolMapLoop(pool.Pool, load, settings.InFlight);
        var streaming = new TaskStreamLoop([client], load, settings.InFlight);
        var echo = TaskFunction.Raw("echo");
        var running = new UnaryLoop(
            async (_, cancel) =>
            {
                await pool.Pool.RunAsync(echo, load.Kinds[0].Input, cancellationToken: cancel);
                return null;
            },
            clients: 1, inFlight: 1);
        terminal.Note("warming up …");
        var warmUp = new RoundPlan(TimeSpan.Zero, Math.Min(settings.Count, WarmUpTasks));
        for (var i = 0; i < 2; i++)
        {
            await mapping.RunAsync(warmUp, token);
            await streaming.RunAsync(warmUp, token);
            await running.RunAsync(OneAtATime, token);
        }

        var plan = new RoundPlan(TimeSpan.Zero, settings.Count);
        var maps = new List<RoundResult>();
        var streams = new List<RoundResult>();
        var runs = new List<RoundResult>();
        var before = Environment.WorkingSet;
        var growth = 0L;
        for (var i = 1; i <= settings.Rounds; i++)
        {
            using var memory = new PeakMemory();
            maps.Add(await mapping.RunAsync(plan, token));
            growth = Math.Max(growth, await memory.StopAsync() - before);
            streams.Add(await streaming.RunAsync(plan, token));
            runs.Add(await running.RunAsync(OneAtATime, token));
            terminal.Note(
                $"round {i} of {settings.Rounds}: {Format.Rate(maps[^1].PerSecond)}/s mapped, {Format.Rate(streams[^1].PerSecond)}/s " +
                $"streamed, {Format.Rate(runs[^1].PerSecond)}/s one at a time");
        }

        return Report(new FigureSummary("pool.MapAsync, embedded", maps), new FigureSummary(
            "StreamTasks, a client of another process", streams), new FigureSummary("pool.RunAsync, one at a time", runs), before, growth);
    }

    private int Report(FigureSummary map, FigureSummary stream, FigureSummary one, long before, long growth)
    {
        var ratio = map.RateRatio(stream);
        if (settings.Json)
        {
            terminal.WriteJson(new
            {
                count = settings.Count,
                workers = pool.Workers,
                start_seconds = pool.Start.TotalSeconds,
                map = map.ToJson("map"),
                stream = stream.ToJson("stream"),
                one = one.ToJson("one"),
                ratio,
                resident_bytes_before = before,
                resident_bytes_growth = growth,
            });
        }
        else
        {
            terminal.Line(
                $"{Format.Count(settings.Count)} echo tasks of {settings.Size} B a round, {Format.Count(settings.InFlight)} in flight, " +
                $"{pool.Workers} workers each:");
            terminal.WriteGrid(
                [new("run"), new("per second", true), new("from", true), new("to", true)],
                ((FigureSummary[])[map, stream, one]).Select(figure => (string[])
                    [figure.Name, Format.Rate(figure.PerSecond), Format.Rate(figure.SlowestPerSecond),
                        Format.Rate(figure.FastestPerSecond)]));
            terminal.Line(
                FormattableString.Invariant($"The map runs at {ratio:0.00} × the rate of the stream (median of the rounds' ratios)."));
            terminal.Line(
                $"A task that the program waits for takes it {Format.Time(one.P50)} (p50), {Format.Time(one.Latency[99])} (p99).");
            terminal.Line(
                $"This program, its coordinator included, had {Format.Bytes((ulong)before)} before the first map and never more than " +
                $"{Format.Bytes((ulong)Math.Max(0, growth))} above that during one.");
        }

        var missed = new List<string>();
        if (settings.MinRatio is { } least && !(ratio >= least))
            missed.Add(FormattableString.Invariant($"the map runs at {ratio:0.00} × the rate of the stream, the least is {least:0.00}"));
        if (settings.MaxGrowth is { } most && growth > most)
            missed.Add($"this program grew by {Format.Bytes((ulong)growth)}, the most is {Format.Bytes((ulong)most)}");
        foreach (var line in missed)
            terminal.Error($"threshold missed: {line}");
        var failed = ((FigureSummary[])[map, stream, one]).FirstOrDefault(figure => figure.Failed > 0);
        if (failed is not null)
            terminal.Error($"{failed.Name}: {Format.Count(failed.Failed)} tasks failed; the first: {failed.FirstError}");
        return missed.Count > 0 ? ExitCode.ThresholdMissed : failed is not null ? ExitCode.TaskFailed : ExitCode.Ok;
    }

    /// <summary>Samples this program's resident memory until stopped.</summary>
    private sealed class PeakMemory : IDisposable
    {
        private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

        private readonly CancellationTokenSource _stopping = new();
        private readonly Task<long> _watching;

        public PeakMemory() => _watching = Task.Run(WatchAsync);

        public async Task<long> StopAsync()
        {
            await _stopping.CancelAsync();
            return await _watching;
        }

        public void Dispose()
        {
            _stopping.Cancel();
            _stopping.Dispose();
        }

        private async Task<long> WatchAsync()
        {
            var peak = Environment.WorkingSet;
            using var timer = new PeriodicTimer(Look, TimeProvider.System);
            try
            {
                while (await timer.WaitForNextTickAsync(_stopping.Token))
                    peak = Math.Max(peak, Environment.WorkingSet);
            }
            catch (OperationCanceledException)
            {
                // The round is over.
            }

            return Math.Max(peak, Environment.WorkingSet);
        }
    }
}
