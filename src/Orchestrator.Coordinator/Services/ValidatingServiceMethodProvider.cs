using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orchestrator.Coordinator.Mapping;

namespace Orchestrator.Coordinator.Services;

/// <summary>
/// Binds the methods of a service as gRPC's default does, with one difference: requests are read by <see cref="RequestGuard"/>.
/// Interceptors run too late for that.
/// </summary>
internal sealed class ValidatingServiceMethodProvider<
    [DynamicallyAccessedMembers(ServiceMembers.All)] TService> : IServiceMethodProvider<TService>
    where TService : class
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        var attribute = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"{typeof(TService)} is no generated gRPC service");
        var bind = attribute.BindType.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.NonPublic)
            .Single(method => method.Name == attribute.BindMethodName && method.GetParameters() is [var first, _]
                && first.ParameterType == typeof(ServiceBinderBase));
        bind.Invoke(null, [new Binder(context), null]);
    }

    private sealed class Binder(ServiceMethodProviderContext<TService> context) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        {
            var (invoker, metadata) = Find<UnaryServerMethod<TService, TRequest, TResponse>>(
                method.Name, typeof(TRequest), typeof(ServerCallContext));
            context.AddUnaryMethod(RequestGuard.Apply(method), metadata, invoker);
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
        {
            var (invoker, metadata) = Find<ClientStreamingServerMethod<TService, TRequest, TResponse>>(
                method.Name, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
            context.AddClientStreamingMethod(RequestGuard.Apply(method), metadata, invoker);
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        {
            var (invoker, metadata) = Find<ServerStreamingServerMethod<TService, TRequest, TResponse>>(
                method.Name, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
            context.AddServerStreamingMethod(RequestGuard.Apply(method), metadata, invoker);
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        {
            var (invoker, metadata) = Find<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(
                method.Name, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
            context.AddDuplexStreamingMethod(RequestGuard.Apply(method), metadata, invoker);
        }

        private static (TDelegate Invoker, List<object> Metadata) Find<TDelegate>(string name, params Type[] parameters)
            where TDelegate : Delegate
        {
            var method = typeof(TService).GetMethod(name, BindingFlags.Public | BindingFlags.Instance, parameters)!;
            return (
                method.CreateDelegate<TDelegate>(),
                [.. typeof(TService)
                    .GetCustomAttributes(inherit: true), .. method.GetCustomAttributes(inherit: true), new HttpMethodMetadata(["POST"])]);
        }
    }
}

/// <summary>What native code must keep of a service for its methods to be found by name.</summary>
internal static class ServiceMembers
{
    /// <summary>As gRPC asks for.</summary>
    public const DynamicallyAccessedMemberTypes All = DynamicallyAccessedMemberTypes.PublicConstructors
        | DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods;
}

/// <summary>Puts <see cref="ValidatingServiceMethodProvider{TService}"/> in place of gRPC's own binding.</summary>
internal static class GuardedMethodsExtensions
{
    public static IServiceCollection AddGuardedMethods(this IServiceCollection services)
    {
        // After AddGrpc: two bindings of one method would create two endpoints for one route.
        services.RemoveAll(typeof(IServiceMethodProvider<>));
        return services.AddSingleton(typeof(IServiceMethodProvider<>), typeof(ValidatingServiceMethodProvider<>));
    }
}
