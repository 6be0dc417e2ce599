using System.Diagnostics;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide;

/// <summary>The handlers that several rows use.</summary>
internal static class GuideHandlers
{
    public static void Map(ITaskMap map)
    {
        // Computes pi by Monte Carlo, and returns where and when it ran. Linux has one monotonic clock for all processes.
        map.MapTask("guide_compute", (WorkInput input, TaskContext context) =>
        {
            var started = Stopwatch.GetTimestamp();
            NumericHandlers.MonteCarloPi(new SamplesInput(input.Samples), context.CancellationToken);
            return new RunSpan(Environment.ProcessId, context.WorkerName, started, Stopwatch.GetTimestamp());
        });

        // Counts concurrent entries: under a semaphore or a lock, if one is named.
        map.MapTask("guide_inside", async (InsideInput input, TaskContext context) =>
        {
            var ct = context.CancellationToken;
            await using var permit = input.Semaphore is { } semaphore
                ? await context.Semaphore(semaphore, input.Permits, bounded: true).AcquireAsync(cancellationToken: ct)
                : null;
            await using var hold = input.Lock is { } name ? await context.Lock(name).AcquireAsync(ct) : null;
            var inside = await context.Value<long>(input.Counter).AddAsync(1, ct);
            await Task.Delay(TimeSpan.FromMilliseconds(input.Ms), TimeProvider.System, ct);
            await context.Value<long>(input.Counter).AddAsync(-1, ct);
            return new Inside(inside, hold?.FencingToken ?? 0, Environment.ProcessId);
        });

        map.MapTask("guide_throw", (string text) => Throw(text), new() { Kind = HandlerKind.Io });
    }

    private static int Throw(string text) => throw new InvalidOperationException(text);
}

internal sealed record WorkInput(long Samples);

/// <summary>When and where something ran, in ticks of the machine's monotonic clock.</summary>
internal sealed record RunSpan(int Pid, string Worker, long Start, long End)
{
    public bool Overlaps(RunSpan other) => Start < other.End && other.Start < End;
}

internal sealed record InsideInput(string Counter, int Ms, string? Lock = null, string? Semaphore = null, int Permits = 1);

internal sealed record Inside(long Count, ulong FencingToken, int Pid);
