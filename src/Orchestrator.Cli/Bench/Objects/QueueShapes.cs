using System.Diagnostics;
using Grpc.Core;
using Orchestrator.Cli.Bench.Load;
using Orchestrator.Cli.Bench.Objects.Partner;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>The shapes of <c>bench queue</c>: from the put in one process to the get in another.</summary>
internal static class QueueShapes
{
    public static readonly ObjectFigure[] Figures =
    [
        new("stream", "queue, Produce → Consume", run => new Streams(run, leased: false), Yardstick.Stream) { Target = "P6" },
        new("leased", "queue, Produce → Consume, leased and settled", run => new Streams(run, leased: true), Yardstick.Stream),
        new("stream-one", "queue, streams, one at a time", run => new OneAtATime(run), Yardstick.PingPong),
        new("unary", "queue, Put + Get calls, one at a time", run => new Calls(run), Yardstick.TwoCalls),
    ];

    private static async Task<string> CreateAsync(ObjectBenchRun run, CancellationToken token)
    {
        var name = run.NewName();
        await run.Client.Contract.CreateQueueAsync(
            new QueueSpec { Name = name, Kind = QueueKind.Fifo, MaxItems = run.Settings.InFlight }, token);
        return name;
    }

    private static async Task DeleteAsync(ObjectBenchRun run, string name) =>
        await run.Queues.DeleteQueueAsync(new DeleteQueueRequest { Queue = name });

    /// <summary>A producer in a partner process and a consumer here, with at most the in-flight limit between them.</summary>
    private sealed class Streams(ObjectBenchRun run, bool leased) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var partner = await run.PartnerAsync();
            var name = await CreateAsync(run, token);
            try
            {
                using var call = run.Queues.Consume(cancellationToken: token);
                var credits = run.Settings.InFlight;
                await call.RequestStream.WriteAsync(new ConsumeRequest { Queue = name, Leased = leased, Credits = credits }, token);
                var producing = partner.DoAsync(
                    PartnerJobs.Produce, plan, name, token, FormattableString.Invariant($"{run.Settings.Size}"));
                var result = await ConsumeAsync(call, credits, token);
                var produced = (await producing).Operations;
                // Every item put must have arrived exactly once.
                return result with
                {
                    Failed = Math.Abs(produced - result.Latency.Count),
                    FirstError = produced == result.Latency.Count
                        ? null : $"{produced:N0} items were put and {result.Latency.Count:N0} came",
                };
            }
            finally
            {
                await DeleteAsync(run, name);
            }
        }

        private async Task<RoundResult> ConsumeAsync(
            AsyncDuplexStreamingCall<ConsumeRequest, ConsumeResponse> call, int credits, CancellationToken token)
        {
            var latency = new LatencyRecorder();
            long first = 0, last = 0, messages = 0;
            var taken = 0;
            while (await call.ResponseStream.MoveNext(token) && call.ResponseStream.Current.Status != WaitStatus.ShutDown)
            {
                last = Stopwatch.GetTimestamp();
                var items = call.ResponseStream.Current.Items;
                first = first == 0 ? Stamped.Read(items[0].Body) : first;
                messages++;
                taken += items.Count;
                foreach (var item in items)
                    latency.Record(Stamped.Read(item.Body), last);
                if (!leased && taken < credits / 4)
                    continue;
                var request = new ConsumeRequest { Credits = taken };
                if (leased)
                    request.DoneLeaseIds.AddRange(items.Select(item => item.LeaseId));
                await call.RequestStream.WriteAsync(request, token);
                taken = 0;
            }

            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(token))
            {
            }

            return new RoundResult(
                latency, Stopwatch.GetElapsedTime(first, last), ItemsPerMessage: latency.Count / (double)Math.Max(1, messages));
        }
    }

    /// <summary>One item at a time: the next is put once the last has arrived.</summary>
    private sealed class OneAtATime(ObjectBenchRun run) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var name = await CreateAsync(run, token);
            try
            {
                using var consuming = run.Queues.Consume(cancellationToken: token);
                using var producing = run.Queues.Produce(cancellationToken: token);
                await consuming.RequestStream.WriteAsync(new ConsumeRequest { Queue = name, Credits = int.MaxValue }, token);
                var acknowledged = DrainAsync(producing.ResponseStream, token);
                var latency = new LatencyRecorder();
                var budget = plan.Start();
                var begin = Stopwatch.GetTimestamp();
                var request = new ProduceRequest { Queue = name };
                for (; budget.TryTake(); request = new ProduceRequest())
                {
                    request.Items.Add(new QueueItem { Body = Stamped.Create(run.Settings.Size) });
                    await producing.RequestStream.WriteAsync(request, token);
                    await consuming.ResponseStream.MoveNext(token);
                    latency.Record(Stamped.Read(consuming.ResponseStream.Current.Items[0].Body), Stopwatch.GetTimestamp());
                }

                var elapsed = Stopwatch.GetElapsedTime(begin);
                await producing.RequestStream.CompleteAsync();
                await acknowledged;
                await run.Client.ShutDownQueueAsync(name, cancellationToken: token);
                await consuming.RequestStream.CompleteAsync();
                await DrainAsync(consuming.ResponseStream, token);
                return new RoundResult(latency, elapsed);
            }
            finally
            {
                await DeleteAsync(run, name);
            }
        }

        private static async Task DrainAsync<T>(IAsyncStreamReader<T> reader, CancellationToken token)
        {
            while (await reader.MoveNext(token))
            {
            }
        }
    }

    /// <summary>A put call and a get call, in sequence.</summary>
    private sealed class Calls(ObjectBenchRun run) : ILoadShape
    {
        public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
        {
            var name = await CreateAsync(run, token);
            try
            {
                var loop = new UnaryLoop(
                    async (_, cancel) =>
                    {
                        await run.Queues.PutAsync(new PutRequest
                        {
                            Queue = name,
                            Items = { new QueueItem { Body = Stamped.Create(run.Settings.Size) } }
                        }, cancellationToken: cancel);
                        var got = await run.Queues.GetAsync(new GetRequest { Queue = name }, cancellationToken: cancel);
                        return got.Items.Count == 1 ? null : $"{got.Items.Count} items came";
                    },
                    clients: 1,
                    inFlight: 1);
                return await loop.RunAsync(plan, token);
            }
            finally
            {
                await DeleteAsync(run, name);
            }
        }
    }
}
