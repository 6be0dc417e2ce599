using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Orchestrator.Transport.RawMessages;
using Orchestrator.Worker.Service;

namespace Orchestrator.Worker.AspNetCore;

/// <summary>Serves <c>orchestrator.worker.v1.WorkerService</c>: one Execute stream at a time.</summary>
internal sealed class WorkerServiceAdapter(WorkerRuntime runtime) : RawWorkerMessages.WorkerBase
{
    public override async Task Execute(
        IAsyncStreamReader<MessageBuffer> requestStream,
        IServerStreamWriter<MessageBuffer> responseStream,
        ServerCallContext context)
    {
        if (!runtime.TryAttach())
            throw new RpcException(
                new Status(StatusCode.FailedPrecondition, "another stream of orders is open; a worker has one coordinator"));

        var end = StreamEnd.Broken;
        try
        {
            end = await WorkerStream.RunAsync(runtime, responseStream.WriteAsync, async (responses, executor) =>
            {
                var session = new ExecuteSession(requestStream, responses, executor, runtime.Time, context.CancellationToken);
                var result = await session.RunAsync().ConfigureAwait(false);
                if (!session.IsHalfClosed)
                    runtime.OpenConnection = context.GetHttpContext().Features.Get<IConnectionLifetimeFeature>()?.ConnectionClosed;
                return result;
            }).ConfigureAwait(false);
        }
        finally
        {
            runtime.Detach(end);
        }
    }
}
