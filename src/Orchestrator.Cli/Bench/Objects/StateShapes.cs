using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects.Partner;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>The shapes of <c>bench state</c>: a dict's entry and a counter.</summary>
internal static class StateShapes
{
    private const int Processes = 4;
    private const int Callers = 64;
    private const string Key = "key";

    public static readonly ObjectFigure[] Figures =
    [
        new("dict", "dict set, pipelined session", run => new PipelinedSession(run, SetOperation(run)), Yardstick.Stream) { Target = "P7" },
        new("add", "counter add, pipelined session", run => new PipelinedSession(run, AddOperation), Yardstick.Stream) { Target = "P7" },
        new("dict-one", "dict set, one at a time", run => new SessionCallers(run, 1, (session, name, token) => session.Dict(name).SetAsync(
            Key, Stamped.Create(run.Settings.Size), token)), Yardstick.PingPong)
        {
            Target = "P7", Limit = 1.3,
        },
        new("get-one", "dict get, one at a time", run => new SessionCallers(
            run, 1, (session, name, token) => session.Dict(name).GetAsync(Key, token)), Yardstick.PingPong),
        new("add-one", "counter add, one at a time", run => new SessionCallers(
            run, 1, (session, name, token) => session.Value(name).AddAsync(1, token)), Yardstick.PingPong)
        {
            Target = "P7", Limit = 1.3,
        },
        new("add-callers", "counter add, 64 callers of one session", run => new SessionCallers(
            run, Callers, (session, name, token) => session.Value(name).AddAsync(1, token)), Yardstick.Stream),
        Prefix("prefix-1k", 1_000) with { OnlyWhenNamed = false },
        Prefix("prefix-10k", 10_000),
        Prefix("prefix-100k", 100_000),
        Prefix("prefix-1m", 1_000_000),
        new("increment", "counter add, 4 processes", run => new Increment(run, PartnerJobs.Add),
            Yardstick.PingPong) { OnlyWhenNamed = true },
        new("locked-increment", "lock and get, set and release, 4 processes", run => new Increment(run, PartnerJobs.LockedAdd),
            Yardstick.TwoPingPongs) { OnlyWhenNamed = true },
        new("locked-increment-awaited", "lock, get, set, release, each awaited, 4 processes",
            run => new Increment(run, PartnerJobs.AwaitedLockedAdd), Yardstick.PingPong) { OnlyWhenNamed = true },
    ];

    private static ObjectFigure Prefix(string key, int entries) =>
        new(key, $"dict read, 100 entries of {Format.Count(entries)} by prefix", run => new PrefixReads(run, entries), Yardstick.PingPong)
        {
            OnlyWhenNamed = true,
        };

    private static Func<string, ulong, Operation> SetOperation(ObjectBenchRun run)
    {
        var value = Payloads.FromBytes(new byte[run.Settings.Size]);
        return (name, _) =>
            new Operation { UpdateDict = new UpdateDictRequest { Dict = name, Edits = { new DictEdit { Key = Key, Set = value } } } };
    }

    private static Operation AddOperation(string name, ulong id) =>
        new() { UpdateValue = new UpdateValueRequest { Value = name, Edit = new NumberEdit { Add = new Number { Integer = 1 } } } };

    /// <summary>Four processes increment one number; it must end as the sum of their reported increments.</summary>
    private sealed class Increment(ObjectBenchRun run, string job) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var name = run.NewName();
            var partners = await run.PartnersAsync(Processes);
            var reports = await Task.WhenAll(partners.Select(partner => partner.DoAsync(job, plan, name, token)));
            var latency = new LatencyRecorder();
            foreach (var report in reports)
                latency.Add(report.Latency);
            var counted = await ReadAsync(name, token);
            var lost = Math.Abs(latency.Count - counted);
            // All processes work for the planned time, or for as long as the slowest needs for its count.
            var elapsed = plan.Count > 0 ? reports.Max(report => report.Latency.Mean * report.Operations) : plan.Duration;
            return new RoundResult(
                latency, elapsed, lost, FirstError: lost == 0 ? null : $"{latency.Count:N0} increments left {counted:N0}");
        }

        private async Task<long> ReadAsync(string name, CancellationToken token)
        {
            await using var session = await run.Client.OpenSessionAsync("bench", cancellationToken: token);
            return job == PartnerJobs.Add
                ? (await session.Value(name).ReadAsync(token))!.Value
                : (long)(await session.Dict(name).GetAsync(PartnerJobs.CounterKey, token))!.Json.NumberValue;
        }
    }
}
