using Orchestrator.Core.Objects;
using Orchestrator.Core.Queues;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Journal;

/// <summary>Durable objects as read from a journal, for a restarted engine.</summary>
public sealed class RestoredObjects
{
    /// <summary>Queues.</summary>
    public List<RestoredQueue> Queues { get; } = [];

    /// <summary>Dicts, lists, values and arrays.</summary>
    public List<RestoredState> States { get; } = [];

    /// <summary>Requests that clients may repeat, oldest first.</summary>
    public List<RequestAnswered> Requests { get; } = [];

    /// <summary>The version from which state objects begin.</summary>
    public ulong StateFloor { get; set; }
}

/// <summary>A queue.</summary>
/// <param name="Spec">Its settings.</param>
/// <param name="Counts">Its counters.</param>
/// <param name="Items">Its items, in the order of their sequences.</param>
public sealed record RestoredQueue(QueueSpec Spec, QueueCounts Counts, IReadOnlyList<KeptItem> Items)
{
    /// <summary>The credential of its creator; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";
}

/// <summary>An object of shared state; properties of other kinds are empty.</summary>
/// <param name="Kind">Which kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Durability">Its level.</param>
/// <param name="Version">Its version.</param>
public sealed record RestoredState(ObjectKind Kind, string Name, Durability Durability, ulong Version)
{
    /// <summary>The credential of the client that first changed it; empty for the coordinator's owner.</summary>
    public string Owner { get; init; } = "";

    /// <summary>For a dict, in the order of insertion.</summary>
    public IReadOnlyList<RestoredEntry> Entries { get; init; } = [];

    /// <summary>For a list.</summary>
    public IReadOnlyList<Content> Values { get; init; } = [];

    /// <summary>For a value the one number, for an array all.</summary>
    public IReadOnlyList<Number> Numbers { get; init; } = [];

    /// <summary>Whether an array's numbers are doubles; null while it has no type.</summary>
    public bool? IsReal { get; init; }
}

/// <summary>An entry of a dict.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value.</param>
/// <param name="Version">The dict's version when it was set.</param>
/// <param name="Deadline">When it expires; <see cref="long.MaxValue"/> never.</param>
public readonly record struct RestoredEntry(string Key, Content Value, ulong Version, long Deadline);
