using System.Diagnostics;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Cli.Bench.Bare;

namespace Orchestrator.Cli.Bench.Load;

/// <summary>
/// A closed loop of batches over a bare stream, with the same number of items in flight and per message as the
/// tasks that it is compared with.
/// </summary>
internal sealed class BareStreamLoop(BareEcho.BareEchoClient client, ByteString data, Func<int> itemsPerMessage, int inFlight)
    : ILoadShape
{
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint);
    private static readonly WriteOptions LastForNow = new();

    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var size = Math.Clamp(itemsPerMessage(), 1, inFlight);
        var slots = Math.Max(1, (int)Math.Round(inFlight / (double)size));
        var started = new long[slots];
        var latency = new LatencyRecorder();
        var sends = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        using var call = client.Stream(cancellationToken: token);
        // The budget counts items: a message spends `size` of it.
        var budget = plan.Start();
        var begin = Stopwatch.GetTimestamp();
        var open = 0;
        for (; open < slots && budget.TryTake(size); open++)
            sends.Writer.TryWrite(open);
        var writing = WriteAsync(call.RequestStream, sends.Reader, started, size);
        var last = begin;
        while (open > 0 && await call.ResponseStream.MoveNext(token))
        {
            last = Stopwatch.GetTimestamp();
            var items = call.ResponseStream.Current.Items;
            var slot = (int)(items[0].Id / (ulong)size);
            foreach (var _ in items)
                latency.Record(started[slot], last);
            if (budget.TryTake(size))
                sends.Writer.TryWrite(slot);
            else
                open--;
        }

        sends.Writer.Complete();
        await writing;
        await call.RequestStream.CompleteAsync();
        // Read to the end, so that the call ends in order instead of by reset.
        while (await call.ResponseStream.MoveNext(token))
        {
        }

        return new RoundResult(latency, Stopwatch.GetElapsedTime(begin, last), ItemsPerMessage: size);
    }

    private async Task WriteAsync(IClientStreamWriter<BareBatch> stream, ChannelReader<int> sends, long[] started, int size)
    {
        while (await sends.WaitToReadAsync())
        {
            while (sends.TryRead(out var slot))
            {
                var batch = new BareBatch();
                for (var i = 0; i < size; i++)
                    batch.Items.Add(new BareItem { Id = (ulong)((slot * (long)size) + i), Data = data });
                started[slot] = Stopwatch.GetTimestamp();
                stream.WriteOptions = sends.TryPeek(out _) ? MoreFollows : LastForNow;
                await stream.WriteAsync(batch);
            }
        }
    }
}

/// <summary>One message at a time on an open stream.</summary>
/// <param name="client">The echo.</param>
/// <param name="data">The payload of each message.</param>
/// <param name="messages">The number of sequential messages per sample.</param>
internal sealed class BarePingPong(BareEcho.BareEchoClient client, ByteString data, int messages = 1) : ILoadShape
{
    public async Task<RoundResult> RunAsync(RoundPlan plan, CancellationToken token)
    {
        var latency = new LatencyRecorder();
        using var call = client.Stream(cancellationToken: token);
        var budget = plan.Start();
        var begin = Stopwatch.GetTimestamp();
        for (ulong id = 0; budget.TryTake(); id++)
        {
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < messages; i++)
            {
                await call.RequestStream.WriteAsync(new BareBatch { Items = { new BareItem { Id = id, Data = data } } }, token);
                await call.ResponseStream.MoveNext(token);
            }

            latency.Record(started, Stopwatch.GetTimestamp());
        }

        var elapsed = Stopwatch.GetElapsedTime(begin);
        await call.RequestStream.CompleteAsync();
        while (await call.ResponseStream.MoveNext(token))
        {
        }

        return new RoundResult(latency, elapsed);
    }
}
