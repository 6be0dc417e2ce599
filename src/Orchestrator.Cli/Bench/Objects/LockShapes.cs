using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects.Partner;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>The shapes of <c>bench lock</c>: an uncontended lock, and one that two processes pass to each other.</summary>
internal static class LockShapes
{
    public static readonly ObjectFigure[] Figures =
    [
        new("pipelined", "lock or unlock, pipelined session", run => new PipelinedSession(run, Toggle), Yardstick.Stream) { Target = "P7" },
        new("one", "lock + unlock, release posted, one at a time", run => new SessionCallers(run, 1, TakeAndPostAsync),
            Yardstick.PingPong),
        new("one-awaited", "lock + unlock, both awaited, one at a time", run => new SessionCallers(run, 1, TakeAndReleaseAsync),
            Yardstick.TwoPingPongs)
        {
            Target = "P7", Limit = 1.3,
        },
        new("hand-over", "lock, hand-over between two processes", run => new HandOver(run), Yardstick.PingPong),
    ];

    private static async Task TakeAndPostAsync(CoordinationSession session, string name, CancellationToken token)
    {
        await using var hold = await session.Lock(name).AcquireAsync(token);
    }

    private static async Task TakeAndReleaseAsync(CoordinationSession session, string name, CancellationToken token) =>
        await (await session.Lock(name).AcquireAsync(token)).ReleaseAsync();

    // Odd ids acquire and even ids release; the session executes operations in order.
    private static Operation Toggle(string name, ulong id) => id % 2 == 1
        ? new Operation { AcquireLock = new AcquireLockRequest { Lock = name } }
        : new Operation { ReleaseLock = new ReleaseLockRequest { Lock = name } };

    /// <summary>
    /// A partner process and this one acquire and release the same lock, each as fast as it can. Two non-consecutive grants here are two
    /// hand-overs apart, and half of that time is recorded for each.
    /// </summary>
    private sealed class HandOver(ObjectBenchRun run) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var name = run.NewName();
            var partner = await run.PartnerAsync();
            await using var session = await run.Client.OpenSessionAsync("bench", cancellationToken: token);
            var other = partner.DoAsync(PartnerJobs.Lock, plan, name, token);
            var latency = new LatencyRecorder();
            var shared = session.Lock(name);
            ulong lastToken = 0;
            // The round begins with the partner's first turn: before it, this process could have had all of a short round's.
            for (var hasPartnerBegun = false; !hasPartnerBegun && !other.IsCompleted;)
            {
                await using var hold = await shared.AcquireAsync(token);
                hasPartnerBegun = lastToken != 0 && hold.FencingToken > lastToken + 1;
                lastToken = hold.FencingToken;
            }

            var budget = plan.Start();
            var begin = Stopwatch.GetTimestamp();
            var lastGrant = begin;
            while (budget.TryTake() && !other.IsCompleted)
            {
                await using var hold = await shared.AcquireAsync(token);
                var now = Stopwatch.GetTimestamp();
                if (hold.FencingToken > lastToken + 1)
                    latency.Record(0, (now - lastGrant) / 2, 2);
                (lastToken, lastGrant) = (hold.FencingToken, now);
            }

            var elapsed = Stopwatch.GetElapsedTime(begin);
            await other;
            return new RoundResult(latency, elapsed);
        }
    }
}
