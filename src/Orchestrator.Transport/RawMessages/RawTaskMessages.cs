using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Transport.RawMessages;

/// <summary>
/// <c>orchestrator.v1.TaskService</c> with pass-through messages where payloads travel, and the generated ones elsewhere.
/// </summary>
internal static class RawTaskMessages
{
    private const string Service = "orchestrator.v1.TaskService";

    private static readonly Method<RawRunTaskRequest, RawRunTaskResponse> RunTaskMethod =
        Create(MethodType.Unary, "RunTask", RawRunTaskRequest.Parser, RawRunTaskResponse.Parser);

    private static readonly Method<MessageBuffer, MessageBuffer> StreamTasksMethod =
        new(MethodType.DuplexStreaming, Service, "StreamTasks", MessageBuffer.Marshaller, MessageBuffer.Marshaller);

    private static readonly Method<RawSubmitTasksRequest, SubmitTasksResponse> SubmitTasksMethod =
        Create(MethodType.Unary, "SubmitTasks", RawSubmitTasksRequest.Parser, SubmitTasksResponse.Parser);

    private static readonly Method<WaitTasksRequest, RawWaitTasksResponse> WaitTasksMethod =
        Create(MethodType.Unary, "WaitTasks", WaitTasksRequest.Parser, RawWaitTasksResponse.Parser);

    private static readonly Method<WatchTasksRequest, RawWatchTasksResponse> WatchTasksMethod =
        Create(MethodType.ServerStreaming, "WatchTasks", WatchTasksRequest.Parser, RawWatchTasksResponse.Parser);

    private static readonly Method<CancelTasksRequest, CancelTasksResponse> CancelTasksMethod =
        Create(MethodType.Unary, "CancelTasks", CancelTasksRequest.Parser, CancelTasksResponse.Parser);

    private static readonly Method<GetTaskRequest, GetTaskResponse> GetTaskMethod =
        Create(MethodType.Unary, "GetTask", GetTaskRequest.Parser, GetTaskResponse.Parser);

    private static readonly Method<ListTasksRequest, ListTasksResponse> ListTasksMethod =
        Create(MethodType.Unary, "ListTasks", ListTasksRequest.Parser, ListTasksResponse.Parser);

    private static readonly Method<ListHandlersRequest, ListHandlersResponse> ListHandlersMethod =
        Create(MethodType.Unary, "ListHandlers", ListHandlersRequest.Parser, ListHandlersResponse.Parser);

    /// <summary>The reflection service finds it by this name.</summary>
    public static ServiceDescriptor Descriptor => TaskService.Descriptor;

    /// <summary>Called by the gRPC host through <see cref="BindServiceMethodAttribute"/>, with a null implementation.</summary>
    public static void BindService(ServiceBinderBase serviceBinder, TaskServiceBase serviceImpl)
    {
        ArgumentNullException.ThrowIfNull(serviceBinder);
        var impl = serviceImpl;
        serviceBinder.AddMethod(
            RunTaskMethod, impl is null ? null : new UnaryServerMethod<RawRunTaskRequest, RawRunTaskResponse>(impl.RunTask));
        serviceBinder.AddMethod(
            StreamTasksMethod, impl is null ? null : new DuplexStreamingServerMethod<MessageBuffer, MessageBuffer>(impl.StreamTasks));
        serviceBinder.AddMethod(
            SubmitTasksMethod, impl is null ? null : new UnaryServerMethod<RawSubmitTasksRequest, SubmitTasksResponse>(impl.SubmitTasks));
        serviceBinder.AddMethod(
            WaitTasksMethod, impl is null ? null : new UnaryServerMethod<WaitTasksRequest, RawWaitTasksResponse>(impl.WaitTasks));
        serviceBinder.AddMethod(WatchTasksMethod, impl is null
            ? null : new ServerStreamingServerMethod<WatchTasksRequest, RawWatchTasksResponse>(impl.WatchTasks));
        serviceBinder.AddMethod(
            CancelTasksMethod, impl is null ? null : new UnaryServerMethod<CancelTasksRequest, CancelTasksResponse>(impl.CancelTasks));
        serviceBinder.AddMethod(GetTaskMethod, impl is null ? null : new UnaryServerMethod<GetTaskRequest, GetTaskResponse>(impl.GetTask));
        serviceBinder.AddMethod(
            ListTasksMethod, impl is null ? null : new UnaryServerMethod<ListTasksRequest, ListTasksResponse>(impl.ListTasks));
        serviceBinder.AddMethod(
            ListHandlersMethod, impl is null ? null : new UnaryServerMethod<ListHandlersRequest, ListHandlersResponse>(impl.ListHandlers));
    }

    private static Method<TRequest, TResponse> Create<TRequest, TResponse>(
        MethodType type, string name, MessageParser<TRequest> request, MessageParser<TResponse> response)
        where TRequest : class, IBufferMessage, IMessage<TRequest>
        where TResponse : class, IBufferMessage, IMessage<TResponse> =>
        new(type, Service, name, RawMarshaller.For(request), RawMarshaller.For(response));

    /// <summary>Base of the coordinator's service implementation. Each method is described in <c>tasks.proto</c>.</summary>
    [BindServiceMethod(typeof(RawTaskMessages), nameof(BindService))]
    public abstract class TaskServiceBase
    {
        public abstract Task<RawRunTaskResponse> RunTask(RawRunTaskRequest request, ServerCallContext context);

        public abstract Task StreamTasks(
            IAsyncStreamReader<MessageBuffer> requestStream,
            IServerStreamWriter<MessageBuffer> responseStream,
            ServerCallContext context);

        public abstract Task<SubmitTasksResponse> SubmitTasks(RawSubmitTasksRequest request, ServerCallContext context);

        public abstract Task<RawWaitTasksResponse> WaitTasks(WaitTasksRequest request, ServerCallContext context);

        public abstract Task WatchTasks(
            WatchTasksRequest request, IServerStreamWriter<RawWatchTasksResponse> responseStream, ServerCallContext context);

        public abstract Task<CancelTasksResponse> CancelTasks(CancelTasksRequest request, ServerCallContext context);

        public abstract Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context);

        public abstract Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context);

        public abstract Task<ListHandlersResponse> ListHandlers(ListHandlersRequest request, ServerCallContext context);
    }
}
