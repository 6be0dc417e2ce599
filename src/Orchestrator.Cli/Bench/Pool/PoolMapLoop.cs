using System.Diagnostics;
using System.Threading.Channels;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Client.Errors;
using Orchestrator.Client.Tasks;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Pool;

/// <summary>Tasks mapped over a pool, in order, as a program with a pool would: the map reads inputs as its reader takes results.</summary>
internal sealed class PoolMapLoop(IExecutor pool, TaskLoad load, int inFlight) : ILoadShape
{
    // A map's reader takes this many results at once, which makes room before their times are taken.
    private const int TakenAtOnce = 256;

    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var budget = plan.Start();
        var begin = Stopwatch.GetTimestamp();
        var parts = load.Kinds is [var kind]
            ? [await MapAsync(kind, new Window(inFlight), window => pool.MapAsync(
                TaskFunction.Raw(kind.Handler), window.Stamp(Inputs(kind, budget)), window.Options, token))]
            : await MapInTurnAsync(budget, token);
        var elapsed = Stopwatch.GetElapsedTime(begin);
        var all = new LatencyRecorder();
        foreach (var part in parts)
            all.Add(part.Latency);
        return new RoundResult(all, elapsed, parts.Count(part => part.Error is not null),
            FirstError: parts.FirstOrDefault(part => part.Error is not null)?.Error);
    }

    private static IEnumerable<Payload> Inputs(TaskSpec kind, RoundBudget budget)
    {
        while (budget.TryTake())
            yield return kind.Input;
    }

    /// <summary>A map uses one handler: several maps run concurrently, and get their inputs in turn.</summary>
    private async Task<Mapped[]> MapInTurnAsync(RoundBudget budget, CancellationToken token)
    {
        var maps = load.Kinds.Select(kind => (Kind: kind, Inputs: Channel.CreateBounded<Payload>(1))).ToArray();
        var mapping = Task.WhenAll(maps.Select(async map =>
        {
            try
            {
                return await MapAsync(map.Kind, new Window(Math.Max(1, inFlight / maps.Length)), window =>
                    pool.MapAsync(
                        TaskFunction.Raw(map.Kind.Handler), window.StampAsync(map.Inputs.Reader.ReadAllAsync(token)), window.Options,
                        token));
            }
            finally
            {
                // A failed map reads no more inputs; the feeder must not wait for it.
                map.Inputs.Writer.TryComplete();
            }
        }));
        try
        {
            for (var turn = 0; budget.TryTake(); turn++)
                await maps[turn % maps.Length].Inputs.Writer.WriteAsync(maps[turn % maps.Length].Kind.Input, token);
        }
        catch (ChannelClosedException)
        {
            // Its map reports the error.
        }

        foreach (var map in maps)
            map.Inputs.Writer.TryComplete();
        return await mapping;
    }

    private static async Task<Mapped> MapAsync(TaskSpec kind, Window window, Func<Window, IAsyncEnumerable<Payload>> map)
    {
        var latency = new LatencyRecorder();
        try
        {
            await foreach (var output in map(window))
                latency.Record(window.StampOf(latency.Count), Stopwatch.GetTimestamp());
            return new Mapped(latency, null);
        }
        catch (TaskException exception)
        {
            return new Mapped(latency, $"{kind.Handler}: {exception.Message}");
        }
    }

    private sealed record Mapped(LatencyRecorder Latency, string? Error);

    /// <summary>The read time of each input under way.</summary>
    private sealed class Window(int inFlight)
    {
        // Plus one that the producer has read and not yet submitted.
        private readonly long[] _started = new long[inFlight + TakenAtOnce + 1];
        private long _read;

        public MapOptions Options { get; } = new() { MaxInFlight = inFlight };

        public long StampOf(long index) => _started[index % _started.Length];

        public IEnumerable<Payload> Stamp(IEnumerable<Payload> inputs)
        {
            foreach (var input in inputs)
            {
                _started[_read++ % _started.Length] = Stopwatch.GetTimestamp();
                yield return input;
            }
        }

        public async IAsyncEnumerable<Payload> StampAsync(IAsyncEnumerable<Payload> inputs)
        {
            await foreach (var input in inputs)
            {
                _started[_read++ % _started.Length] = Stopwatch.GetTimestamp();
                yield return input;
            }
        }
    }
}
