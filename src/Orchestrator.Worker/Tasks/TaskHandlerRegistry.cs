using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Orchestrator.Protocol;
using Orchestrator.Worker.Payloads;

namespace Orchestrator.Worker.Tasks;

/// <summary>
/// The handlers of a program by name. Fill it with the <see cref="TaskMapExtensions"/> before the first executor is created; from then on
/// it is read-only, and thread-safe.
/// </summary>
public sealed class TaskHandlerRegistry : ITaskMap
{
    private readonly Dictionary<string, RegisteredTask> _tasks = new(StringComparer.Ordinal);
    private volatile bool _frozen;

    /// <summary>An empty registry.</summary>
    /// <param name="json">
    /// How inputs and outputs are read and written. The default is <see cref="TaskJson.Default"/>: camelCase names read in any case,
    /// numbers also accepted as strings, unknown members ignored, members that a constructor or <c>required</c> demands must be present.
    /// </param>
    public TaskHandlerRegistry(JsonSerializerOptions? json = null) => JsonOptions = json ?? TaskJson.Default;

    /// <summary>How typed inputs and outputs are read and written.</summary>
    public JsonSerializerOptions JsonOptions { get; }

    /// <summary>All mapped handlers, in the order of mapping.</summary>
    public IReadOnlyCollection<RegisteredTask> Handlers => _tasks.Values;

    TaskHandlerRegistry ITaskMap.Tasks => this;

    /// <summary>Finds a handler by its exact name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out RegisteredTask? task) => _tasks.TryGetValue(name, out task);

    internal void Add(RegisteredTask task)
    {
        if (_frozen)
            throw new InvalidOperationException($"Handler '{task.Name}' is mapped too late: an executor already uses this registry.");
        if (!HandlerNames.IsValid(task.Name))
        {
            throw new ArgumentException(
                $"'{VisibleText.Line(task.Name)}' is no handler name: {HandlerNames.Rule} are allowed.", nameof(task));
        }

        if (!_tasks.TryAdd(task.Name, task))
            throw new ArgumentException($"A handler named '{task.Name}' is already mapped; names must be unique.", nameof(task));
    }

    // Lookups take no lock, so nothing may be added once an executor reads.
    internal void Freeze() => _frozen = true;
}
