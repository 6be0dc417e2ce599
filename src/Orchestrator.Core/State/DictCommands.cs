using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>Refuses an update unless all its conditions hold.</summary>
/// <param name="ExpectedVersion">The object's version, 0 for one that does not exist; null does not check.</param>
/// <param name="Lock">A lock that is held with <paramref name="FencingToken"/>; empty does not check.</param>
/// <param name="FencingToken">The token of the grant.</param>
public sealed record StateGuard(ulong? ExpectedVersion, string Lock = "", ulong FencingToken = 0);

/// <summary>
/// A change of shared state: all of it or nothing. An undelivered outcome does not undo it, since other sessions may have seen it; a
/// repeated id is answered with the first outcome.
/// </summary>
public abstract record StateUpdate : ObjectCommand
{
    /// <summary>The conditions of the update; null checks nothing. If one fails, the error is STALE with the current version.</summary>
    public StateGuard? Guard { get; init; }

    /// <summary>
    /// The durability of an object that this update creates; null takes memory. For an existing object it must be that object's durability,
    /// or null; otherwise KIND_MISMATCH.
    /// </summary>
    public Durability? Durability { get; init; }

    internal override bool CanBeUndone => false;
}

/// <summary>How a dict's entry changes.</summary>
public enum DictOperation : byte
{
    /// <summary>To a value.</summary>
    Set = 1,

    /// <summary>To a value, if the key is missing.</summary>
    SetDefault = 2,

    /// <summary>Removes it; does nothing if the key is missing.</summary>
    Delete = 3,

    /// <summary>By a number, added to its own; a missing one is 0.</summary>
    Add = 4,

    /// <summary>Inside, at a path.</summary>
    SetPath = 5,

    /// <summary>By an element at the end of its array; a missing one is empty.</summary>
    Append = 6,
}

/// <summary>A change of a dict's entry.</summary>
/// <param name="Operation">The kind of change.</param>
/// <param name="Key">The entry's key.</param>
public sealed record DictEdit(DictOperation Operation, string Key)
{
    /// <summary>For all but delete and add: the value or element.</summary>
    public Content Value { get; init; }

    /// <summary>For add: the number.</summary>
    public double Amount { get; init; }

    /// <summary>For a path edit: the path.</summary>
    public string Path { get; init; } = "";

    /// <summary>
    /// How long the entry lives from now on; null: for a set, without end; for the others, as before. Not for delete.
    /// </summary>
    public TimeSpan? Ttl { get; init; }
}

/// <summary>
/// Updates a dict, which its first entry creates. Errors: INVALID, STALE, LIMIT_EXCEEDED, SESSION_LOST; nothing changes then.
/// </summary>
/// <param name="Dict">Its name.</param>
/// <param name="Edits">The changes, in order: a later one sees the earlier.</param>
/// <param name="Clear">Delete all entries first.</param>
public sealed record UpdateDict(string Dict, IReadOnlyList<DictEdit> Edits, bool Clear = false) : StateUpdate
{
    internal override (string Field, int Bytes)? FindLarge(int limit) =>
        FirstAbove(limit, Edits, static edit => edit.Value.Bytes, static (edit, i) => $"edits[{i}].{FieldOf(edit.Operation)}");

    private static string FieldOf(DictOperation operation) => operation switch
    {
        DictOperation.SetDefault => "set_default",
        DictOperation.SetPath => "path.value",
        DictOperation.Append => "append",
        _ => "set",
    };

    internal override ObjectKind Primitive => ObjectKind.Dict;
}

/// <summary>An entry as it was read.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Value">Its value; null where the key is missing, or only keys were asked for.</param>
/// <param name="Version">The dict's version when it was last set; 0 where it is missing.</param>
public readonly record struct DictValue(string Key, Content? Value, ulong Version);

/// <summary>A dict was updated.</summary>
/// <param name="Version">Its version now.</param>
/// <param name="Entries">The entries after all edits, in the order of the edits.</param>
public sealed record UpdateDictOutcome(ulong Version, IReadOnlyList<DictValue> Entries) : ObjectOutcome
{
    // Computed once, since it is read several times.
    private readonly int _bytes = SizeOf(Entries);

    /// <inheritdoc/>
    public override int Bytes => _bytes;

    private static int SizeOf(IReadOnlyList<DictValue> entries)
    {
        var bytes = 0L;
        for (var i = 0; i < entries.Count; i++)
            bytes += entries[i].Key.Length + (entries[i].Value?.Bytes ?? 0);
        return (int)Math.Min(int.MaxValue, bytes);
    }
}

/// <summary>What to read of a dict.</summary>
/// <param name="Dict">Its name.</param>
public sealed record DictQuery(string Dict)
{
    /// <summary>These keys; empty for all entries, a page at a time.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Only keys that begin so, in the order of their UTF-16 code units instead of that of insertion.</summary>
    public string KeyPrefix { get; init; } = "";

    /// <summary>The most entries of the page.</summary>
    public int MaxEntries { get; init; } = int.MaxValue;

    /// <summary>The token of the page before; empty for the first.</summary>
    public string PageToken { get; init; } = "";

    /// <summary>Leave out the values.</summary>
    public bool KeysOnly { get; init; }
}

/// <summary>Entries of a dict.</summary>
/// <param name="Version">The dict's version; 0 where it does not exist, which reads as empty.</param>
/// <param name="Count">How many entries it has.</param>
/// <param name="Entries">The requested entries, in the order of the requested keys, of insertion, or with a prefix of the keys.</param>
/// <param name="MissingKeys">Requested keys that are missing.</param>
/// <param name="NextPageToken">For the next page; empty when this was the last.</param>
public sealed record DictPage(
    ulong Version, long Count, IReadOnlyList<DictValue> Entries, IReadOnlyList<string> MissingKeys, string NextPageToken) : ObjectOutcome
{
    /// <inheritdoc/>
    public override int Bytes => (int)Math.Min(int.MaxValue, Entries.Sum(entry => (long)entry.Key.Length + (entry.Value?.Bytes ?? 0)));
}
