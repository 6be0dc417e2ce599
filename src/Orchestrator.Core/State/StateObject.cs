using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.State;

/// <summary>
/// An object of shared state: its version, its last changes and the waits for the next. It is vacant while only waits refer to it: its
/// first change creates it.
/// </summary>
internal abstract class StateObject(ObjectKind kind, string name, StateOptions options, StateBudget budget) : NamedObject(kind, name)
{
    public StateHistory History { get; } = new(options, budget);

    public WaiterQueue Watchers { get; } = new();

    public bool Exists { get; set; }

    /// <summary>Its durability, set with its first change.</summary>
    public Durability Durability { get; set; } = Durability.Memory;

    public bool IsDurable => Durability > Durability.Memory;

    /// <summary>One more with each change; 0 while vacant.</summary>
    public ulong Version { get; set; }

    /// <summary>How many entries, elements or numbers.</summary>
    public abstract long Count { get; }

    /// <summary>
    /// The version before its first change: above 0 if an object was deleted before; 0 for one of an earlier process, whose first changes
    /// are not kept.
    /// </summary>
    public ulong FirstVersion { get; set; }

    /// <summary>Keys and values.</summary>
    public long Bytes { get; private set; }

    public override bool HasWaiters => Watchers.Count > 0;

    public void AddBytes(long bytes)
    {
        Bytes += bytes;
        budget.Add(bytes);
    }

    /// <summary>Removes its values and timers: it is deleted.</summary>
    public virtual void Clear(IPrimitiveContext context)
    {
        AddBytes(-Bytes);
        History.Clear();
    }

    /// <summary>The changes after a version, up to a maximum.</summary>
    public StateChanges ReadChanges(ulong after, int maximum, string keyPrefix)
    {
        var known = Version - (ulong)History.Count;
        // Who has seen nothing has missed nothing as long as all changes are kept.
        if (after == 0 && known == FirstVersion)
            after = known;
        if (after < known || after > Version)
            return new StateChanges(true, Version, true, [], after) { IsOtherObject = after < FirstVersion };
        var changes = new List<StateChange>();
        var index = (int)(after - known);
        for (; index < History.Count && changes.Count < maximum; index++)
        {
            var change = History[index];
            var key = (change as DictEntrySet)?.Key ?? (change as DictEntryDeleted)?.Key ?? keyPrefix;
            if (key.StartsWith(keyPrefix, StringComparison.Ordinal))
                changes.Add(change);
        }

        return new StateChanges(true, Version, false, changes, known + (ulong)index);
    }
}
