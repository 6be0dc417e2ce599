using System.Threading.Channels;
using Grpc.Core;

namespace Orchestrator.Cli.Bench.Bare;

/// <summary>
/// The minimal work of any coordinator: receive a batch from the client, send it to the echo processes in turn, and
/// return the answer. It has no tasks, no ordering and no failure handling.
/// </summary>
internal sealed class BareProxyService(IReadOnlyList<BareEcho.BareEchoClient> backends) : BareEcho.BareEchoBase
{
    private int _next;

    public override async Task<BareItem> Echo(BareItem request, ServerCallContext context) =>
        await Next().EchoAsync(request, cancellationToken: context.CancellationToken);

    public override async Task Stream(
        IAsyncStreamReader<BareBatch> requestStream,
        IServerStreamWriter<BareBatch> responseStream,
        ServerCallContext context)
    {
        var calls = backends.Select(backend => backend.Stream(cancellationToken: context.CancellationToken)).ToArray();
        // One writer per stream: gRPC allows no two writes at once, and the backends answer independently.
        var answers = Channel.CreateBounded<BareBatch>(new BoundedChannelOptions(1_024) { SingleReader = true });
        var reading = Task.WhenAll(calls.Select(call => CollectAsync(call, answers.Writer, context.CancellationToken)));
        var writing = WriteAsync(answers.Reader, responseStream);
        try
        {
            for (var i = 0; await requestStream.MoveNext(context.CancellationToken); i = (i + 1) % calls.Length)
                await calls[i].RequestStream.WriteAsync(requestStream.Current);
            await Task.WhenAll(calls.Select(call => call.RequestStream.CompleteAsync()));
            await reading;
            answers.Writer.Complete();
            await writing;
        }
        finally
        {
            answers.Writer.TryComplete();
            foreach (var call in calls)
                call.Dispose();
        }
    }

    private static async Task CollectAsync(
        AsyncDuplexStreamingCall<BareBatch, BareBatch> call, ChannelWriter<BareBatch> answers, CancellationToken token)
    {
        while (await call.ResponseStream.MoveNext(token))
            await answers.WriteAsync(call.ResponseStream.Current, token);
    }

    private static async Task WriteAsync(ChannelReader<BareBatch> answers, IServerStreamWriter<BareBatch> client)
    {
        while (await answers.WaitToReadAsync())
        {
            while (answers.TryRead(out var batch))
            {
                client.WriteOptions = answers.TryPeek(out _) ? BufferHint : Flush;
                await client.WriteAsync(batch);
            }
        }
    }

    private static readonly WriteOptions BufferHint = new(WriteFlags.BufferHint);
    private static readonly WriteOptions Flush = new();

    private BareEcho.BareEchoClient Next() =>
        backends[(int)((uint)Interlocked.Increment(ref _next) % (uint)backends.Count)];
}
