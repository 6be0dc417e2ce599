using System.Diagnostics.CodeAnalysis;
using Orchestrator.Client.Tasks;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// Maps handlers by name. A handler is a function of nothing, of its input, or of its input and a <see cref="CancellationToken"/> or the
/// <see cref="TaskContext"/>, which has that token, too. It returns its output, a <see cref="Task{TResult}"/> of it, or a
/// <see cref="Task"/>; or it is a generator.
/// </summary>
/// <remarks>
/// <para>
/// Inputs and outputs are JSON, except that <c>byte[]</c> and <c>ReadOnlyMemory&lt;byte&gt;</c> are opaque bytes (a task whose input is a
/// JSON string passes that text as UTF-8, so that scripts can call such a handler, too), and <c>TaskPayload</c> is passed on as received,
/// undecoded. A <c>ReadOnlyMemory&lt;byte&gt;</c> or <c>TaskPayload</c> as input is valid only until the handler ends.
/// </para>
/// <para>
/// Each overload returns the handler as a function that a client or a pool runs. <see cref="ArgumentException"/>: the name is not valid or
/// mapped already, the example is not JSON, or the handler's types are not supported.
/// </para>
/// </remarks>
public static partial class TaskMapExtensions
{
    /// <summary>A function without an input.</summary>
    /// <param name="map">A worker, a pool's program or a registry.</param>
    /// <param name="name">The name by which tasks request the handler; unique in the program.</param>
    /// <param name="handler">Runs once per task. An exception fails the task.</param>
    /// <param name="options">Its kind, description and example; null for the defaults.</param>
    public static TaskFunction<Unit, TOut> MapTask<TOut>(
        this ITaskMap map, string name, Func<TOut> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<Unit, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Cpu, new FunctionInvoker<Unit, TOut>(mapping, _ => handler()));
    }

    /// <summary>A function of its input.</summary>
    /// <param name="map">A worker, a pool's program or a registry.</param>
    /// <param name="name">The name by which tasks request the handler; unique in the program.</param>
    /// <param name="handler">Runs once per task. An exception fails the task.</param>
    /// <param name="options">Its kind, description and example; null for the defaults.</param>
    public static TaskFunction<TIn, TOut> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, TOut> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Cpu, new FunctionInvoker<TIn, TOut>(mapping, handler));
    }

    /// <summary>A function that can be cancelled.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, TOut> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, CancellationToken, TOut> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Cpu, new ContextFunctionInvoker<TIn, TOut>(
            mapping, (input, context) => handler(input, context.CancellationToken)));
    }

    /// <summary>A function that uses its context.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, TOut> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, TaskContext, TOut> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Cpu, new ContextFunctionInvoker<TIn, TOut>(mapping, handler));
    }

    /// <summary>A handler class that implements <see cref="ITaskHandler{TIn, TOut}"/>, with constructor injection.</summary>
    /// <param name="map">A worker, a pool's program or a registry.</param>
    /// <param name="name">The name by which tasks request the handler; unique in the program.</param>
    /// <param name="options">Its kind (<see cref="HandlerKind.Io"/> unless given), description and example; null for the defaults.</param>
    public static TaskFunction<TIn, TOut> MapTask<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler, TIn, TOut>(
        this ITaskMap map, string name, TaskHandlerOptions? options = null)
        where THandler : class, ITaskHandler<TIn, TOut>
    {
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Io, new ClassInvoker<THandler, TIn, TOut>(mapping));
    }
}
