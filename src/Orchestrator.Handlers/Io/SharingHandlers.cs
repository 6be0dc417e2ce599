using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Client.Objects;
using Orchestrator.Handlers.Common;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Handlers.Io;

/// <summary>Handlers that use shared objects, to try them from outside.</summary>
internal static class SharingHandlers
{
    private const int MaxMilliseconds = 86_400_000;
    private const int MaxTimes = 10_000_000;

    public static void Register(ITaskMap map)
    {
        var json = StockJson.Default.Options;
        map.MapTask(
            "hold", (HoldInput input, TaskContext context) => Check.ObjectsAsync(
                () => HoldAsync(input, context, context.CancellationToken)),
            new()
            {
                Json = json,
                Description =
                    "Acquires the named locks in order, gap_ms apart, and a permit of the semaphore, if one is named; keeps them for ms, " +
                    "and answers with the fencing tokens.",
                Example = """{"locks": ["a", "b"], "gap_ms": 0, "ms": 100}""",
            });
        map.MapTask(
            "wait_barrier", (BarrierInput input, TaskContext context) => Check.ObjectsAsync(
                () => context.Barrier(input.Barrier, input.Parties).WaitAsync(context.CancellationToken)),
            new()
            {
                Json = json,
                Description = "Waits at the barrier until all parties are there; answers with its index.",
                Example = """{"barrier": "start", "parties": 2}""",
            });
        map.MapTask(
            "rate_limited", (LimitedInput input, TaskContext context) => Check.ObjectsAsync(
                () => LimitedAsync(input, context, context.CancellationToken)),
            new()
            {
                Json = json,
                Description = "Takes one permit of the limiter after the other, times of them; answers with how many it took.",
                Example = """{"limiter": "api", "times": 10}""",
            });
    }

    private static async Task<ulong[]> HoldAsync(HoldInput input, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("gap_ms", input.GapMs, 0, MaxMilliseconds);
        Check.Range("ms", input.Ms, 0, MaxMilliseconds);
        var time = context.Services.GetService<TimeProvider>() ?? TimeProvider.System;
        var holds = new List<LockHold>();
        PermitHold? permit = null;
        try
        {
            foreach (var name in input.Locks)
            {
                if (holds.Count > 0 && input.GapMs > 0)
                    await Task.Delay(TimeSpan.FromMilliseconds(input.GapMs), time, cancellationToken);
                holds.Add(await context.Lock(name).AcquireAsync(cancellationToken));
            }

            if (input.Semaphore is { } semaphore)
                permit = await context.Semaphore(semaphore, initialPermits: 1, bounded: true)
                    .AcquireAsync(cancellationToken: cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(input.Ms), time, cancellationToken);
            return [.. holds.Select(hold => hold.FencingToken)];
        }
        finally
        {
            foreach (var hold in holds)
                await hold.DisposeAsync();
            if (permit is not null)
                await permit.DisposeAsync();
        }
    }

    private static async Task<int> LimitedAsync(LimitedInput input, TaskContext context, CancellationToken cancellationToken)
    {
        Check.Range("times", input.Times, 0, MaxTimes);
        var limiter = context.RateLimiter(input.Limiter);
        for (var i = 0; i < input.Times; i++)
            await limiter.AcquireAsync(1, cancellationToken);
        return input.Times;
    }
}
