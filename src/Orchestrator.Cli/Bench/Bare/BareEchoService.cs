using Grpc.Core;

namespace Orchestrator.Cli.Bench.Bare;

/// <summary>Answers every message with itself.</summary>
internal sealed class BareEchoService : BareEcho.BareEchoBase
{
    public override Task<BareItem> Echo(BareItem request, ServerCallContext context) => Task.FromResult(request);

    public override async Task Stream(
        IAsyncStreamReader<BareBatch> requestStream,
        IServerStreamWriter<BareBatch> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken))
            await responseStream.WriteAsync(requestStream.Current);
    }
}
