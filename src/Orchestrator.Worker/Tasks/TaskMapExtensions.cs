using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// Maps handlers by name. The input is read from the task's JSON, and the answer is written as one bare JSON value. Every overload takes a
/// one-line description and an example input as JSON text; both appear in listings of handlers. Names must be unique, otherwise
/// <see cref="ArgumentException"/>.
/// </summary>
public static class TaskMapExtensions
{
    private const string NeedsReflection = "JSON by reflection; use the overloads that take JsonTypeInfo where code is trimmed.";

    /// <summary>A plain function.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map, string name, HandlerKind kind, Func<TIn, TOut> handler, string? description = null, string? example = null) =>
        map.Add(name, kind, new FunctionInvoker<TIn, TOut>(Codec<TIn>(map), Output<TOut>(map, name), handler), description, example);

    /// <summary>A function that uses its context or can be cancelled.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map, string name, HandlerKind kind, Func<TIn, TaskContext, CancellationToken, TOut> handler,
        string? description = null, string? example = null) =>
        map.Add(name, kind, new ContextFunctionInvoker<TIn, TOut>(Codec<TIn>(map), Output<TOut>(map, name), handler), description, example);

    /// <summary>An asynchronous function.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map, string name, HandlerKind kind, Func<TIn, Task<TOut>> handler, string? description = null, string? example = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return map.Add(
            name, kind, new AsyncInvoker<TIn, TOut>(
                Codec<TIn>(map), Output<TOut>(map, name), (input, _) => handler(input)), description, example);
    }

    /// <summary>An asynchronous function that uses its context or can be cancelled.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map, string name, HandlerKind kind, Func<TIn, TaskContext, CancellationToken, Task<TOut>> handler,
        string? description = null, string? example = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return map.Add(
            name,
            kind,
            new AsyncInvoker<TIn, TOut>(
                Codec<TIn>(map), Output<TOut>(map, name), (input, context) => handler(input, context, context.CancellationToken)),
            description,
            example);
    }

    /// <summary>An asynchronous function without an answer: the output is JSON null.</summary>
    public static ITaskMap MapTask<TIn>(
        this ITaskMap map, string name, HandlerKind kind, Func<TIn, TaskContext, CancellationToken, Task> handler,
        string? description = null, string? example = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return map.Add(
            name,
            kind,
            new NoAnswerInvoker<TIn>(Codec<TIn>(map), (input, context) => handler(input, context, context.CancellationToken)),
            description,
            example);
    }

    /// <summary>
    /// A generator: each element is sent at once as a partial output, and the task's output is the number of elements. The elements are not
    /// repeated in the output, since together they may exceed the payload limit.
    /// </summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map, string name, HandlerKind kind, Func<TIn, TaskContext, CancellationToken, IAsyncEnumerable<TOut>> handler,
        string? description = null, string? example = null) =>
        map.Add(name, kind, new GeneratorInvoker<TIn, TOut>(Codec<TIn>(map), Output<TOut>(map, name), handler), description, example);

    /// <summary>
    /// A function with JSON options of its own, such as those of a generated context: resolved when the first task arrives.
    /// </summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map,
        string name,
        HandlerKind kind,
        Func<TIn, TaskContext, CancellationToken, TOut> handler,
        JsonSerializerOptions json,
        string? description = null,
        string? example = null) =>
        map.Add(name, kind, new ContextFunctionInvoker<TIn, TOut>(
            new JsonCodec<TIn>(json), new JsonCodec<TOut>(json), handler), description, example);

    /// <summary>An asynchronous function with JSON options of its own.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map,
        string name,
        HandlerKind kind,
        Func<TIn, TaskContext, CancellationToken, Task<TOut>> handler,
        JsonSerializerOptions json,
        string? description = null,
        string? example = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return map.Add(
            name,
            kind,
            new AsyncInvoker<TIn, TOut>(
                new JsonCodec<TIn>(json), new JsonCodec<TOut>(json), (input, context) => handler(
                    input, context, context.CancellationToken)),
            description,
            example);
    }

    /// <summary>A function with generated JSON code, for trimmed and ahead-of-time compiled programs.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map,
        string name,
        HandlerKind kind,
        Func<TIn, TaskContext, CancellationToken, TOut> handler,
        JsonTypeInfo<TIn> inputType,
        JsonTypeInfo<TOut> outputType,
        string? description = null,
        string? example = null) =>
        map.Add(
            name, kind, new ContextFunctionInvoker<TIn, TOut>(
                new JsonCodec<TIn>(inputType), new JsonCodec<TOut>(outputType), handler), description, example);

    /// <summary>An asynchronous function with generated JSON code, for trimmed and ahead-of-time compiled programs.</summary>
    public static ITaskMap MapTask<TIn, TOut>(
        this ITaskMap map,
        string name,
        HandlerKind kind,
        Func<TIn, TaskContext, CancellationToken, Task<TOut>> handler,
        JsonTypeInfo<TIn> inputType,
        JsonTypeInfo<TOut> outputType,
        string? description = null,
        string? example = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return map.Add(
            name,
            kind,
            new AsyncInvoker<TIn, TOut>(
                new JsonCodec<TIn>(inputType),
                new JsonCodec<TOut>(outputType),
                (input, context) => handler(input, context, context.CancellationToken)),
            description,
            example);
    }

    /// <summary>A handler class that implements <see cref="ITaskHandler{TIn, TOut}"/> once, with constructor injection.</summary>
    [RequiresDynamicCode(NeedsReflection)]
    public static ITaskMap MapTask<THandler>(
        this ITaskMap map, string name, HandlerKind kind, string? description = null, string? example = null)
        where THandler : class
    {
        var contracts = typeof(THandler).GetInterfaces()
            .Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ITaskHandler<,>))
            .ToArray();
        if (contracts.Length != 1)
        {
            throw new ArgumentException(
                $"{typeof(THandler)} must implement ITaskHandler<TIn, TOut> exactly once to be mapped as '{name}'; it does " +
                $"{contracts.Length} times.",
                nameof(map));
        }

        var arguments = contracts[0].GetGenericArguments();
        var invoker = (TaskInvoker)Activator.CreateInstance(
            typeof(ClassInvoker<,,>).MakeGenericType(typeof(THandler), arguments[0], arguments[1]), map.Tasks.JsonOptions)!;
        return map.Add(name, kind, invoker, description, example);
    }

    /// <summary>A handler class with explicit type arguments: no reflection.</summary>
    public static ITaskMap MapTask<THandler, TIn, TOut>(
        this ITaskMap map, string name, HandlerKind kind, string? description = null, string? example = null)
        where THandler : class, ITaskHandler<TIn, TOut> =>
        map.Add(name, kind, new ClassInvoker<THandler, TIn, TOut>(map.Tasks.JsonOptions), description, example);

    /// <summary>
    /// Raw bytes in and out. A task whose input is a JSON string passes that text as UTF-8, so that scripts can call it too. The input is
    /// valid only until the handler ends.
    /// </summary>
    public static ITaskMap MapBytes(
        this ITaskMap map,
        string name,
        HandlerKind kind,
        Func<ReadOnlyMemory<byte>, TaskContext, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> handler,
        string? description = null,
        string? example = null) =>
        map.Add(name, kind, new BytesInvoker(handler), description, example);

    /// <summary>
    /// The payload as received, undecoded, and a payload to return unchanged: for handlers that accept several forms or pass data on. The
    /// cancellation token is in the context, and costs nothing until it is used.
    /// </summary>
    public static ITaskMap MapPayload(
        this ITaskMap map, string name, HandlerKind kind, Func<TaskPayload, TaskContext, ValueTask<TaskPayload>> handler,
        string? description = null, string? example = null) =>
        map.Add(name, kind, new PayloadInvoker(handler), description, example);

    private static ITaskMap Add(this ITaskMap map, string name, HandlerKind kind, TaskInvoker invoker, string? description, string? example)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(name);
        if (!Enum.IsDefined(kind))
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"Handler '{name}' needs one of the kinds Cpu, Io and Blocking.");
        map.Tasks.Add(new RegisteredTask(name, kind, invoker, description, example));
        return map;
    }

    private static JsonCodec<T> Codec<T>(ITaskMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return new JsonCodec<T>(map.Tasks.JsonOptions);
    }

    // A lambda that returns ValueTask<T> binds to the synchronous overload, and its answer would be the JSON of a ValueTask.
    private static JsonCodec<T> Output<T>(ITaskMap map, string name)
    {
        var type = typeof(T);
        if (typeof(Task).IsAssignableFrom(type) || type == typeof(ValueTask) ||
            (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>)))
        {
            throw new ArgumentException(
                $"Handler '{name}' returns {type}; an asynchronous handler returns Task<T> or takes (input, context, token).", nameof(map));
        }

        return Codec<T>(map);
    }
}
