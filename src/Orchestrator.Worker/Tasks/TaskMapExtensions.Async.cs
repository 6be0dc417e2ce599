using Orchestrator.Client.Tasks;

namespace Orchestrator.Worker.Tasks;

/// <content>Asynchronous handlers, with and without an output.</content>
public static partial class TaskMapExtensions
{
    /// <summary>An asynchronous function without an input.</summary>
    /// <inheritdoc cref="MapTask{TOut}(ITaskMap, string, Func{TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<Unit, TOut> MapTask<TOut>(
        this ITaskMap map, string name, Func<Task<TOut>> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<Unit, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Io, new AsyncInvoker<Unit, TOut>(mapping, (_, _) => handler()));
    }

    /// <summary>An asynchronous function of its input.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, TOut> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, Task<TOut>> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Io, new AsyncInvoker<TIn, TOut>(mapping, (input, _) => handler(input)));
    }

    /// <summary>An asynchronous function that can be cancelled.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, TOut> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, CancellationToken, Task<TOut>> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Io, new AsyncInvoker<TIn, TOut>(
            mapping, (input, context) => handler(input, context.CancellationToken)));
    }

    /// <summary>An asynchronous function that uses its context.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, TOut> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, TaskContext, Task<TOut>> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, TOut>(map, name, options);
        return mapping.Add(HandlerKind.Io, new AsyncInvoker<TIn, TOut>(mapping, handler));
    }

    /// <summary>An asynchronous action without an input.</summary>
    /// <inheritdoc cref="MapTask{TOut}(ITaskMap, string, Func{TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<Unit, Unit> MapTask(
        this ITaskMap map, string name, Func<Task> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<Unit, Unit>(map, name, options);
        return mapping.Add(HandlerKind.Io, new NoAnswerInvoker<Unit>(mapping, (_, _) => handler()));
    }

    /// <summary>An asynchronous action on its input. Its output is JSON null.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, Unit> MapTask<TIn>(
        this ITaskMap map, string name, Func<TIn, Task> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, Unit>(map, name, options);
        return mapping.Add(HandlerKind.Io, new NoAnswerInvoker<TIn>(mapping, (input, _) => handler(input)));
    }

    /// <summary>An asynchronous action that can be cancelled. Its output is JSON null.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, Unit> MapTask<TIn>(
        this ITaskMap map, string name, Func<TIn, CancellationToken, Task> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, Unit>(map, name, options);
        return mapping.Add(HandlerKind.Io, new NoAnswerInvoker<TIn>(
            mapping, (input, context) => handler(input, context.CancellationToken)));
    }

    /// <summary>An asynchronous action that uses its context. Its output is JSON null.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, Unit> MapTask<TIn>(
        this ITaskMap map, string name, Func<TIn, TaskContext, Task> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, Unit>(map, name, options);
        return mapping.Add(HandlerKind.Io, new NoAnswerInvoker<TIn>(mapping, handler));
    }

    /// <summary>
    /// A generator: each element is sent at once as a partial output, and the task's output is the number of elements. The elements are not
    /// repeated in the output, since together they may exceed the payload limit.
    /// </summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, long> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, CancellationToken, IAsyncEnumerable<TOut>> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, long>(map, name, options);
        return mapping.Add(HandlerKind.Io, new GeneratorInvoker<TIn, TOut>(
            mapping, (input, context) => handler(input, context.CancellationToken)));
    }

    /// <summary>A generator that uses its context; see the overload with a token.</summary>
    /// <inheritdoc cref="MapTask{TIn, TOut}(ITaskMap, string, Func{TIn, TOut}, TaskHandlerOptions?)"/>
    public static TaskFunction<TIn, long> MapTask<TIn, TOut>(
        this ITaskMap map, string name, Func<TIn, TaskContext, IAsyncEnumerable<TOut>> handler, TaskHandlerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var mapping = new TaskMapping<TIn, long>(map, name, options);
        return mapping.Add(HandlerKind.Io, new GeneratorInvoker<TIn, TOut>(mapping, handler));
    }
}
