using Google.Protobuf;
using Grpc.Core;
using Orchestrator.Coordinator.Mapping;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// Reads requests: one that cannot be parsed as its message type, or breaks a limit of its fields, is the caller's fault and answered with
/// INVALID_ARGUMENT. By default it would be a server exception, UNKNOWN without a description of the fault.
/// </summary>
internal static class RequestGuard
{
    /// <summary>The method with guarded requests.</summary>
    public static Method<TRequest, TResponse> Apply<TRequest, TResponse>(Method<TRequest, TResponse> method)
    {
        var read = method.RequestMarshaller.ContextualDeserializer;
        // SubmissionReader parses task lists, so that one invalid task does not affect the others.
        var isLimited = typeof(IMessage).IsAssignableFrom(typeof(TRequest)) && typeof(TRequest).Namespace == typeof(V1.Payload).Namespace;
        var guarded = new Marshaller<TRequest>(
            method.RequestMarshaller.ContextualSerializer,
            message =>
            {
                try
                {
                    var request = read(message);
                    if (isLimited && FieldLimits.Find((IMessage)(object)request!, except: "operations") is { } violation)
                        throw RpcErrors.Invalid([violation]);
                    return request;
                }
                catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidDataException)
                {
                    throw RpcErrors.Create(
                        V1.ErrorReason.Invalid, $"the request is no message that {method.FullName} takes: {exception.Message}");
                }
            });
        return new Method<TRequest, TResponse>(method.Type, method.ServiceName, method.Name, guarded, method.ResponseMarshaller);
    }
}
