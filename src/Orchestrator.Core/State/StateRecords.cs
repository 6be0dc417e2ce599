using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>A durable dict, list, value or array was created.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Durability">Its level.</param>
/// <param name="Version">Its version before its first change.</param>
/// <param name="Owner">The credential of the client that first changed it, see <see cref="ClientObjectQuota.Credential"/>.</param>
public sealed record StateBegun(ObjectKind Kind, string Name, Durability Durability, ulong Version, string Owner) : ObjectChange;

/// <summary>A durable object of shared state changed.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Change">How.</param>
public sealed record StateEdited(ObjectKind Kind, string Name, StateChange Change) : ObjectChange;

/// <summary>Sets when an entry of a durable dict expires.</summary>
/// <param name="Dict">The dict.</param>
/// <param name="Key">The entry.</param>
/// <param name="Deadline">When it expires; <see cref="long.MaxValue"/> never.</param>
public sealed record EntryLives(string Dict, string Key, long Deadline) : ObjectChange;

/// <summary>The numbers of a durable array are of this type.</summary>
/// <param name="Array">The array.</param>
/// <param name="IsReal">Whether they are doubles.</param>
public sealed record ArrayTyped(string Array, bool IsReal) : ObjectChange;

/// <summary>A durable object of shared state was deleted.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Floor">The version from which a later object of its name begins.</param>
public sealed record StateDeleted(ObjectKind Kind, string Name, ulong Floor) : ObjectChange;
