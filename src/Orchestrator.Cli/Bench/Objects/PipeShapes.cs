using System.Diagnostics;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects.Partner;
using Orchestrator.Client.Objects;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>The shapes of <c>bench pipe</c>: messages from one process to another, one way and as round trips.</summary>
internal static class PipeShapes
{
    private const int LargeBytes = 1_000_000;
    private const int LargeInFlight = 8;

    public static readonly ObjectFigure[] Figures =
    [
        new("stream", "pipe, one way", run => new OneWay(
            run, run.Settings.Size, run.Settings.InFlight), Yardstick.Stream) { Target = "P8" },
        new("large", "pipe, one way, 1 MB messages", run => new OneWay(run, LargeBytes, LargeInFlight), Yardstick.Stream)
        {
            Target = "P8", ItemBytes = LargeBytes, InFlight = LargeInFlight,
        },
        new("round-trip", "pipe, there and back", run => new RoundTrip(run), Yardstick.TwoPingPongs),
        new("direct-stream", "direct pipe, one way", run => new DirectOneWay(
            run, run.Settings.Size), Yardstick.Stream) { InFlight = 1 },
        new("direct-large", "direct pipe, one way, 1 MB messages", run => new DirectOneWay(run, LargeBytes), Yardstick.Stream)
        {
            ItemBytes = LargeBytes, InFlight = LargeInFlight,
        },
        new("direct-round-trip", "direct pipe, there and back", run => new DirectRoundTrip(run), Yardstick.PingPong),
    ];

    /// <summary>A sender in a partner process, the receiver here.</summary>
    private sealed class OneWay(ObjectBenchRun run, int size, int inFlight) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var partner = await run.PartnerAsync();
            var name = run.NewName();
            await run.Client.Contract.CreatePipeAsync(new PipeSpec { Name = name, MaxMessages = inFlight }, token);
            using var call = run.Pipes.AttachPipe(cancellationToken: token);
            await call.RequestStream.WriteAsync(new AttachPipeRequest { Pipe = name, End = PipeEnd.A }, token);
            var sending = partner.DoAsync(PartnerJobs.Send, plan, name, token, FormattableString.Invariant($"{size}"));
            var latency = new LatencyRecorder();
            long first = 0, last = 0, messages = 0;
            while (await call.ResponseStream.MoveNext(token) && !call.ResponseStream.Current.EndOfFile)
            {
                last = Stopwatch.GetTimestamp();
                messages++;
                foreach (var message in call.ResponseStream.Current.Messages)
                {
                    var sent = Stamped.Read(message);
                    first = first == 0 ? sent : first;
                    latency.Record(sent, last);
                }
            }

            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(token))
            {
            }

            var expected = (await sending).Operations;
            return new RoundResult(
                latency,
                Stopwatch.GetElapsedTime(first, last),
                Math.Abs(expected - latency.Count),
                latency.Count / (double)Math.Max(1, messages),
                FirstError: expected == latency.Count ? null : $"{expected:N0} messages were sent and {latency.Count:N0} came");
        }
    }

    /// <summary>One message at a time to a partner process, which sends it back.</summary>
    private sealed class RoundTrip(ObjectBenchRun run) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var partner = await run.PartnerAsync();
            var name = run.NewName();
            await run.Client.Contract.CreatePipeAsync(new PipeSpec { Name = name, Duplex = true }, token);
            using var call = run.Pipes.AttachPipe(cancellationToken: token);
            var request = new AttachPipeRequest { Pipe = name, End = PipeEnd.A };
            await call.RequestStream.WriteAsync(request, token);
            var echoing = partner.DoAsync(PartnerJobs.Echo, plan, name, token);
            var latency = new LatencyRecorder();
            var budget = plan.Start();
            var begin = Stopwatch.GetTimestamp();
            while (budget.TryTake())
            {
                await call.RequestStream.WriteAsync(new AttachPipeRequest { Messages = { Stamped.Create(run.Settings.Size) } }, token);
                await call.ResponseStream.MoveNext(token);
                latency.Record(Stamped.Read(call.ResponseStream.Current.Messages[0]), Stopwatch.GetTimestamp());
            }

            var elapsed = Stopwatch.GetElapsedTime(begin);
            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(token))
            {
            }

            await echoing;
            return new RoundResult(latency, elapsed);
        }
    }

    /// <summary>A sender in a partner process, the receiver here, and no coordinator between them.</summary>
    private sealed class DirectOneWay(ObjectBenchRun run, int size) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var (partner, session, name) = await CreateDirectAsync(run, token);
            await using var closing = session;
            await using var end = await session.Pipe(name).EndA.AttachDirectAsync(token);
            var sending = partner.DoAsync(PartnerJobs.SendDirect, plan, name, token, FormattableString.Invariant($"{size}"));
            var latency = new LatencyRecorder();
            long first = 0, last = 0;
            await foreach (var message in end.ReceiveAllAsync(token))
            {
                last = Stopwatch.GetTimestamp();
                var sent = Stamped.Read(message);
                first = first == 0 ? sent : first;
                latency.Record(sent, last);
            }

            var expected = (await sending).Operations;
            return new RoundResult(
                latency,
                Stopwatch.GetElapsedTime(first, last),
                Math.Abs(expected - latency.Count),
                1,
                FirstError: expected == latency.Count ? null : $"{expected:N0} messages were sent and {latency.Count:N0} came");
        }
    }

    /// <summary>One message at a time to a partner process, which sends it back, and no coordinator between them.</summary>
    private sealed class DirectRoundTrip(ObjectBenchRun run) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var (partner, session, name) = await CreateDirectAsync(run, token);
            await using var closing = session;
            var end = await session.Pipe(name).EndA.AttachDirectAsync(token);
            var echoing = partner.DoAsync(PartnerJobs.EchoDirect, plan, name, token);
            var latency = new LatencyRecorder();
            var budget = plan.Start();
            var begin = Stopwatch.GetTimestamp();
            while (budget.TryTake())
            {
                await end.SendAsync(Stamped.Create(run.Settings.Size), token);
                latency.Record(Stamped.Read((await end.ReceiveAsync(token))!), Stopwatch.GetTimestamp());
            }

            var elapsed = Stopwatch.GetElapsedTime(begin);
            await end.DisposeAsync();
            await echoing;
            return new RoundResult(latency, elapsed);
        }
    }

    private static async Task<(PartnerProcess Partner, CoordinationSession Session, string Name)> CreateDirectAsync(
        ObjectBenchRun run, CancellationToken token)
    {
        var partner = await run.PartnerAsync();
        var name = run.NewName();
        await run.Client.CreatePipeAsync(name, new PipeOptions { Duplex = true, Direct = true }, token);
        return (partner, await run.Client.OpenSessionAsync("bench", cancellationToken: token), name);
    }
}
