using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Worker.Execution;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// Runs a handler class. A singleton is resolved once. Any other class gets a scope per task: resolved from the root, its disposable parts
/// would be kept until the process ends. Every await returns to the caller's context, as those of <see cref="TaskInvoker"/> do.
/// </summary>
internal sealed class ClassInvoker<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler, TIn, TOut>(
    TaskMapping<TIn, TOut> mapping) : TaskInvoker
    where THandler : class, ITaskHandler<TIn, TOut>
{
    private readonly PayloadConverter<TIn> _input = mapping.Input;
    private readonly PayloadConverter<TOut> _output = mapping.Output;
    private readonly ObjectFactory<THandler> _create = ActivatorUtilities.CreateFactory<THandler>([]);

    public override async ValueTask<ByteString> InvokeAsync(TaskContext context, ByteString message)
    {
        var input = _input.Decode(message);
        var services = context.Services;
        if (services.GetService<HandlerLifetimes>()?.IsSingleton(typeof(THandler)) == true)
        {
            var singleton = services.GetRequiredService<THandler>();
            return _output.Encode(await singleton.RunAsync(input, context, context.CancellationToken).ConfigureAwait(true));
        }

        var scope = services.CreateAsyncScope();
        await using var disposing = scope.ConfigureAwait(true);
        context.Services = scope.ServiceProvider;
        var registered = scope.ServiceProvider.GetService<THandler>();
        var handler = registered ?? _create(scope.ServiceProvider, []);
        try
        {
            return _output.Encode(await handler.RunAsync(input, context, context.CancellationToken).ConfigureAwait(true));
        }
        finally
        {
            // The container disposes the instances that it created; an instance from the factory is ours to dispose.
            if (registered is null)
                await DisposeAsync(handler).ConfigureAwait(true);
        }
    }

    private static async ValueTask DisposeAsync(THandler handler)
    {
        if (handler is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync().ConfigureAwait(true);
        else
            (handler as IDisposable)?.Dispose();
    }
}

/// <summary>Knows which services are singletons, which a container does not expose.</summary>
internal sealed class HandlerLifetimes(IServiceCollection services)
{
    private readonly HashSet<Type> _singletons =
        [.. services.Where(service => service.Lifetime == ServiceLifetime.Singleton).Select(service => service.ServiceType)];

    public bool IsSingleton(Type type) => _singletons.Contains(type);
}

/// <summary>The service registrations of a worker.</summary>
internal static class TaskServiceCollectionExtensions
{
    /// <summary>Lets handler classes registered as singletons run without a scope per task; called after all other registrations.</summary>
    public static IServiceCollection AddTaskHandlerLifetimes(this IServiceCollection services) =>
        services.AddSingleton(_ => new HandlerLifetimes(services));
}
