using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

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
