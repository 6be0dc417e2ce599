namespace Orchestrator.Client.Objects;

/// <summary>What happened to a dict.</summary>
public enum DictChangeKind
{
    /// <summary>An entry was set.</summary>
    Set,

    /// <summary>An entry was removed.</summary>
    Removed,

    /// <summary>The dict was deleted.</summary>
    Deleted,
}

/// <summary>A change of a dict.</summary>
/// <param name="Version">The dict's version after it.</param>
/// <param name="IsSnapshot">Whether it is the present state of an entry instead of a change: the first ones may no longer be kept.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Key">The entry; empty if the dict was deleted.</param>
/// <param name="Value">The entry's value, if it was set.</param>
/// <typeparam name="T">The values.</typeparam>
public sealed record DictChange<T>(ulong Version, bool IsSnapshot, DictChangeKind Kind, string Key, T? Value);

/// <summary>A change of a number.</summary>
/// <param name="Version">Its version after the change.</param>
/// <param name="Value">The new value; null if it was deleted.</param>
/// <typeparam name="T">The number.</typeparam>
public sealed record ValueChange<T>(ulong Version, T? Value)
    where T : struct;

/// <summary>An entry of a dict.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value.</param>
/// <param name="Version">The dict's version with which it was last set.</param>
/// <param name="DictVersion">The dict's version when it was read, for <see cref="UpdateGuard.AtVersion"/>.</param>
/// <typeparam name="T">The value.</typeparam>
public sealed record DictItem<T>(string Key, T Value, ulong Version, ulong DictVersion);
