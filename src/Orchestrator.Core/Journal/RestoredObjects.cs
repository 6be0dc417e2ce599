using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Journal;

/// <summary>Durable objects as a journal knows them, for an engine that starts anew.</summary>
public sealed class RestoredObjects
{
    /// <summary>Queues.</summary>
    public List<RestoredQueue> Queues { get; } = [];

    /// <summary>Dicts, lists, values and arrays.</summary>
    public List<RestoredState> States { get; } = [];

    /// <summary>Requests that may be sent again, oldest first.</summary>
    public List<RequestAnswered> Requests { get; } = [];

    /// <summary>The version from which state objects begin.</summary>
    public ulong StateFloor { get; set; }
}

/// <summary>A queue.</summary>
/// <param name="Spec">What it is.</param>
/// <param name="Counts">Its numbers.</param>
/// <param name="Items">Its items, in the order of their sequences.</param>
public sealed record RestoredQueue(QueueSpec Spec, QueueCounts Counts, IReadOnlyList<KeptItem> Items)
{
    /// <summary>The credential of who created it; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";
}

/// <summary>An object of shared state; what does not belong to its kind is empty.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Durability">Its level.</param>
/// <param name="Version">Its version.</param>
public sealed record RestoredState(ObjectKind Kind, string Name, Durability Durability, ulong Version)
{
    /// <summary>The credential of who changed it first; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";

    /// <summary>Of a dict, in the order of insertion.</summary>
    public IReadOnlyList<RestoredEntry> Entries { get; init; } = [];

    /// <summary>Of a list.</summary>
    public IReadOnlyList<Content> Values { get; init; } = [];

    /// <summary>Of a value the one number, of an array all.</summary>
    public IReadOnlyList<Number> Numbers { get; init; } = [];

    /// <summary>Whether an array's numbers are doubles; null while it has no type.</summary>
    public bool? IsReal { get; init; }
}

/// <summary>An entry of a dict.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value.</param>
/// <param name="Version">The dict's version when it was set.</param>
/// <param name="Deadline">Until when it lives; <see cref="long.MaxValue"/> without end.</param>
public readonly record struct RestoredEntry(string Key, Content Value, ulong Version, long Deadline);
