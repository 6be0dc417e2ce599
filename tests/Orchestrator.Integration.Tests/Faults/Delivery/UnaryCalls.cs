using System.Reflection;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Orchestrator.V1;

namespace Orchestrator.Integration.Tests.Faults.Delivery;

/// <summary>Operations of a session's stream as unary calls, found by their descriptors.</summary>
internal static partial class UnaryCalls
{
    private static readonly MethodInfo s_send = typeof(UnaryCalls).GetMethod(
        nameof(SendTypedAsync), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>The case of the unary call, with a request id instead of the operation's id.</summary>
    public static CallCase ToCase(OperationCase item)
    {
        var field = Operation.Descriptor.FindFieldByNumber((int)item.Kind);
        var method =
            new[] { SyncReflection.Descriptor, QueuesReflection.Descriptor, PipesReflection.Descriptor, StateReflection.Descriptor }
            .SelectMany(file => file.Services).SelectMany(service => service.Methods).Single(
                method => method.InputType == field.MessageType && !method.IsClientStreaming);
        return new CallCase($"{method.Service.Name}/{method.Name}", item.Prepare, SendAsync, item.Look);

        async Task<string> SendAsync(DeliveryWorld world, string name)
        {
            var request = (IMessage)field.Accessor.GetValue(item.Make(world, name));
            var descriptor = request.Descriptor;
            descriptor.FindFieldByName("request_id").Accessor.SetValue(request, name);
            descriptor.FindFieldByName("session_id")?.Accessor.SetValue(request, world.Session);
            var answer = await (Task<IMessage>)s_send.MakeGenericMethod(method.InputType.ClrType, method.OutputType.ClrType)
                .Invoke(null, [world.Faulty, method, request])!;
            return Others().Replace($"{answer}", "\"$1\": N");
        }
    }

    private static async Task<IMessage> SendTypedAsync<TRequest, TResponse>(CallInvoker invoker, MethodDescriptor method, IMessage request)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var typed = new Method<TRequest, TResponse>(
            MethodType.Unary, method.Service.FullName, method.Name,
            Marshallers.Create(message => message.ToByteArray(), new MessageParser<TRequest>(() => new TRequest()).ParseFrom),
            Marshallers.Create(message => message.ToByteArray(), new MessageParser<TResponse>(() => new TResponse()).ParseFrom));
        return await invoker.AsyncUnaryCall(typed, null, DeliveryWorld.Soon, (TRequest)request);
    }

    // Values that are numbered over all objects, or per coordinator.
    [GeneratedRegex("\"(version|fencingToken|sequence|leaseId|sessionId)\": \"[^\"]+\"")]
    private static partial Regex Others();
}
