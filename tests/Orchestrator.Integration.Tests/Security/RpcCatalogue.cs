using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1Alpha;
using Orchestrator.TestKit;

namespace Orchestrator.Integration.Tests.Security;

/// <summary>Every method of a running coordinator, by its reflection service, and a way to call each with an empty message.</summary>
internal static class RpcCatalogue
{
    public const string Health = "grpc.health.v1.Health";
    public const string Reflection = "grpc.reflection.";

    private static readonly Marshaller<byte[]> Raw = Marshallers.Create(bytes => bytes, bytes => bytes);

    /// <summary>All methods but those of health.</summary>
    public static async Task<IReadOnlyList<(string Service, string Method)>> ReadAsync(CallInvoker invoker)
    {
        var client = new ServerReflection.ServerReflectionClient(invoker);
        using var call = client.ServerReflectionInfo(CoordinatorProcess.Deadline());
        var methods = new List<(string, string)>();
        foreach (var service in (await AskAsync(
            new ServerReflectionRequest { ListServices = "*" })).ListServicesResponse.Service.Select(service => service.Name))
        {
            if (service == Health)
                continue;
            var files =
                (await AskAsync(new ServerReflectionRequest { FileContainingSymbol = service })).FileDescriptorResponse.FileDescriptorProto;
            var described = files.Select(file => FileDescriptorProto.Parser.ParseFrom(file))
                .SelectMany(file => file.Service.Select(item => (Name: $"{file.Package}.{item.Name}", item.Method)))
                .First(item => item.Name == service);
            methods.AddRange(described.Method.Select(method => (service, method.Name)));
        }

        return methods;

        async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            return call.ResponseStream.Current;
        }
    }

    /// <summary>
    /// One empty message and the end of the requests: on the wire that is a call of any shape. Returns the error, also that of an endless
    /// call that was given up after its first message; null after a success.
    /// </summary>
    public static async Task<RpcException?> CallAsync(
        CallInvoker invoker, string service, string method, Metadata? headers = null, byte[]? message = null, int seconds = 10)
    {
        using var call = invoker.AsyncDuplexStreamingCall(
            new Method<byte[], byte[]>(MethodType.DuplexStreaming, service, method, Raw, Raw), null, CoordinatorProcess.Deadline(seconds)
                .WithHeaders(headers ?? []));
        try
        {
            await call.RequestStream.WriteAsync(message ?? []);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // It was rejected before it had been sent; the reason comes with the response.
        }

        try
        {
            // A stream that sends a message has accepted the caller.
            if (method.StartsWith("Watch", StringComparison.Ordinal))
                await call.ResponseStream.MoveNext(CancellationToken.None);
            else
            {
                while (await call.ResponseStream.MoveNext(CancellationToken.None))
                {
                }
            }

            return null;
        }
        catch (RpcException exception)
        {
            return exception;
        }
    }
}
