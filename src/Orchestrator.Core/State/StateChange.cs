using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>
/// One change of an object. Every change has its own version, one more than the last, so a watcher knows which version comes
/// next.
/// </summary>
/// <param name="Version">The object's version with this change.</param>
public abstract record StateChange(ulong Version)
{
    // The record itself and its place in the history, approximately.
    private protected const int OwnBytes = 64;

    internal virtual int Bytes => OwnBytes;
}

/// <summary>A dict's entry was set.</summary>
/// <param name="Version">The dict's version, and the entry's.</param>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value.</param>
public sealed record DictEntrySet(ulong Version, string Key, Content Value) : StateChange(Version)
{
    internal override int Bytes => (int)Math.Min(int.MaxValue, OwnBytes + (long)Key.Length + Value.Bytes);
}

/// <summary>A dict's entry was deleted, or its time to live has passed.</summary>
/// <param name="Version">The dict's version.</param>
/// <param name="Key">Its key.</param>
public sealed record DictEntryDeleted(ulong Version, string Key) : StateChange(Version)
{
    internal override int Bytes => OwnBytes + Key.Length;
}

/// <summary>A list was edited.</summary>
/// <param name="Version">The list's version.</param>
/// <param name="Edit">How; indices count from the start.</param>
public sealed record ListEdited(ulong Version, ListEdit Edit) : StateChange(Version)
{
    internal override int Bytes => (int)Math.Min(int.MaxValue, OwnBytes + Edit.Bytes);
}

/// <summary>A value was set.</summary>
/// <param name="Version">The value's version.</param>
/// <param name="Current">The number now.</param>
public sealed record ValueChanged(ulong Version, Number Current) : StateChange(Version);

/// <summary>An element of an array was set.</summary>
/// <param name="Version">The array's version.</param>
/// <param name="Index">Which, from the start.</param>
/// <param name="Current">The number now.</param>
public sealed record ArrayElementChanged(ulong Version, long Index, Number Current) : StateChange(Version);

/// <summary>An array was created, all zeros.</summary>
/// <param name="Version">The array's version.</param>
/// <param name="Length">Its length.</param>
public sealed record ArrayCreated(ulong Version, long Length) : StateChange(Version);

/// <summary>The changes of an object after a version.</summary>
/// <param name="Exists">Whether the object exists.</param>
/// <param name="Version">Its version now; 0 if it does not exist.</param>
/// <param name="NeedsSnapshot">
/// The changes since then are unknown: they have left the window, or the version is one of an earlier object of this name. Send a snapshot
/// (<c>ObjectEngine.ReadDict</c> and the like), then read the changes after its version.
/// </param>
/// <param name="Changes">The changes, in order.</param>
/// <param name="ReadTo">The version up to which changes were read, even if a key prefix excluded some: continue after it.</param>
public sealed record StateChanges(bool Exists, ulong Version, bool NeedsSnapshot, IReadOnlyList<StateChange> Changes, ulong ReadTo)
{
    /// <summary>Whether a snapshot is needed because the object was deleted and created anew since that version.</summary>
    public bool IsOtherObject { get; init; }
}
