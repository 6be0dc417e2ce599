using System.Text.Json;
using Orchestrator.Client.Tasks;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>One handler while it is being mapped. What does not depend on its types is here, so that it is compiled once.</summary>
internal abstract class TaskMapping
{
    private static readonly TaskHandlerOptions Usual = new();

    private readonly ITaskMap _map;
    private readonly TaskHandlerOptions _options;

    protected TaskMapping(ITaskMap map, string name, TaskHandlerOptions? options, Type input, Type output)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(name);
        CheckInput(name, input);
        CheckOutput(name, output);
        _map = map;
        _options = options ?? Usual;
        Name = name;
        Json = _options.Json ?? map.Tasks.JsonOptions;
    }

    public JsonSerializerOptions Json { get; }

    protected string Name { get; }

    /// <summary>Adds the handler to the registry.</summary>
    /// <param name="usual">Its kind, unless the options name another one.</param>
    /// <param name="invoker">Runs it.</param>
    protected void Register(HandlerKind usual, TaskInvoker invoker)
    {
        var kind = _options.Kind ?? usual;
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentException(
                $"Handler '{Name}' needs one of the kinds {nameof(HandlerKind.Cpu)}, {nameof(HandlerKind.Io)} and " +
                $"{nameof(HandlerKind.Blocking)}, not {kind}.");
        }

        _map.Tasks.Add(new RegisteredTask(Name, kind, invoker, _options.Description, _options.Example));
    }

    private static void CheckInput(string name, Type type)
    {
        if (type == typeof(TaskContext) || type == typeof(CancellationToken))
        {
            throw new ArgumentException(
                $"Handler '{name}' takes a {type.Name} as its input. A handler without an input that uses one takes " +
                $"(Unit _, {type.Name} …).");
        }
    }

    // A lambda that returns ValueTask<T>, or a generator without a token, binds to the synchronous overload, and its answer would be the
    // JSON of a ValueTask.
    private static void CheckOutput(string name, Type type)
    {
        var generic = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        if (typeof(Task).IsAssignableFrom(type) || type == typeof(ValueTask) || generic == typeof(ValueTask<>) ||
            generic == typeof(IAsyncEnumerable<>))
        {
            throw new ArgumentException(
                $"Handler '{name}' returns {type}. An asynchronous handler returns Task or Task<T>, and a generator takes its input and " +
                "a CancellationToken or a TaskContext.");
        }
    }
}

/// <summary>One handler while it is being mapped, with the serialization that both sides use.</summary>
internal sealed class TaskMapping<TIn, TOut> : TaskMapping
{
    public TaskMapping(ITaskMap map, string name, TaskHandlerOptions? options)
        : base(map, name, options, typeof(TIn), typeof(TOut))
    {
        Input = new PayloadConverter<TIn>(Json);
        Output = new PayloadConverter<TOut>(Json);
    }

    public PayloadConverter<TIn> Input { get; }

    public PayloadConverter<TOut> Output { get; }

    /// <summary>Adds the handler to the registry.</summary>
    /// <returns>The handler as clients call it.</returns>
    public TaskFunction<TIn, TOut> Add(HandlerKind usual, TaskInvoker invoker)
    {
        Register(usual, invoker);
        return new TaskFunction<TIn, TOut>(Name, Input.ToMessage, Output.FromMessage);
    }
}
