using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.Worker.V1;

namespace Orchestrator.Contracts.Passthrough;

/// <summary>
/// <c>orchestrator.worker.v1.WorkerService</c> with messages as their bytes: what is in them is read and written by whoever uses them.
/// </summary>
public static class WorkerPassthrough
{
    /// <summary>The long stream between the coordinator and a worker.</summary>
    public static readonly Method<EncodedMessage, EncodedMessage> ExecuteMethod = new(
        MethodType.DuplexStreaming,
        "orchestrator.worker.v1.WorkerService",
        "Execute",
        EncodedMessage.Marshaller,
        EncodedMessage.Marshaller);

    /// <summary>Found by the reflection service by this name.</summary>
    public static ServiceDescriptor Descriptor => WorkerService.Descriptor;

    /// <summary>Called by the gRPC host through <see cref="BindServiceMethodAttribute"/>.</summary>
    public static void BindService(ServiceBinderBase serviceBinder, WorkerBase serviceImpl)
    {
        ArgumentNullException.ThrowIfNull(serviceBinder);
        serviceBinder.AddMethod(
            ExecuteMethod,
            serviceImpl is null ? null : new DuplexStreamingServerMethod<EncodedMessage, EncodedMessage>(serviceImpl.Execute));
    }

    /// <summary>Base of the worker's service implementation.</summary>
    [BindServiceMethod(typeof(WorkerPassthrough), nameof(BindService))]
    public abstract class WorkerBase
    {
        /// <summary>See <c>worker.proto</c>.</summary>
        public abstract Task Execute(
            IAsyncStreamReader<EncodedMessage> requestStream,
            IServerStreamWriter<EncodedMessage> responseStream,
            ServerCallContext context);
    }
}
