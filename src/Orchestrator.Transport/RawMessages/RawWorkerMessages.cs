using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.Worker.V1;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// <c>orchestrator.worker.v1.WorkerService</c> with messages as their bytes: its users read and write the content.
/// </summary>
internal static class RawWorkerMessages
{
    /// <summary>The long stream between the coordinator and a worker.</summary>
    public static readonly Method<MessageBuffer, MessageBuffer> ExecuteMethod = new(
        MethodType.DuplexStreaming,
        "orchestrator.worker.v1.WorkerService",
        "Execute",
        MessageBuffer.Marshaller,
        MessageBuffer.Marshaller);

    /// <summary>The reflection service finds it by this name.</summary>
    public static ServiceDescriptor Descriptor => WorkerService.Descriptor;

    /// <summary>Called by the gRPC host through <see cref="BindServiceMethodAttribute"/>.</summary>
    public static void BindService(ServiceBinderBase serviceBinder, WorkerBase serviceImpl)
    {
        ArgumentNullException.ThrowIfNull(serviceBinder);
        serviceBinder.AddMethod(
            ExecuteMethod,
            serviceImpl is null ? null : new DuplexStreamingServerMethod<MessageBuffer, MessageBuffer>(serviceImpl.Execute));
    }

    /// <summary>Base of the worker's service implementation.</summary>
    [BindServiceMethod(typeof(RawWorkerMessages), nameof(BindService))]
    public abstract class WorkerBase
    {
        /// <summary>See <c>worker.proto</c>.</summary>
        public abstract Task Execute(
            IAsyncStreamReader<MessageBuffer> requestStream,
            IServerStreamWriter<MessageBuffer> responseStream,
            ServerCallContext context);
    }
}
