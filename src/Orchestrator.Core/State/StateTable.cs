using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.State;

/// <summary>The objects of shared state by name, and what their kinds have in common: creation, guards, sizes, watchers.</summary>
internal sealed class StateTable(IPrimitiveContext context, StateOptions options, LockMachine locks)
{
    private readonly StateBudget _budget = new(contents: context.Contents);

    public ObjectMap<DictState> Dicts { get; } = new(ObjectKind.Dict, context);

    public ObjectMap<ListState> Lists { get; } = new(ObjectKind.List, context);

    public ObjectMap<ValueState> Values { get; } = new(ObjectKind.Value, context);

    public ObjectMap<ArrayState> Arrays { get; } = new(ObjectKind.Array, context);

    /// <summary>
    /// The version from which new objects begin. A new object never reuses a version of an earlier object of its name: a client that saw
    /// that version must not mistake the new object for it.
    /// </summary>
    public ulong Floor { get; set; }

    /// <summary>The keys and values of all shared state, in bytes.</summary>
    public long Bytes => _budget.Bytes;

    /// <summary>The changes that are kept for watches, in bytes, approximately.</summary>
    public long HistoryBytes => _budget.HistoryBytes;

    public StateObject? Find(ObjectKind kind, string name) => kind switch
    {
        ObjectKind.Dict => Dicts.Find(name),
        ObjectKind.List => Lists.Find(name),
        ObjectKind.Value => Values.Find(name),
        ObjectKind.Array => Arrays.Find(name),
        _ => null,
    };

    /// <summary>The first objects of a kind that exist and whose names come after this one, see <see cref="ObjectMap{T}.After"/>.</summary>
    public IReadOnlyList<StateObject> After(ObjectKind kind, string name, int maximum) => kind switch
    {
        ObjectKind.Dict => Dicts.After(name, maximum, static item => item.Exists),
        ObjectKind.List => Lists.After(name, maximum, static item => item.Exists),
        ObjectKind.Value => Values.After(name, maximum, static item => item.Exists),
        _ => Arrays.After(name, maximum, static item => item.Exists),
    };

    public StateObject Add(ObjectKind kind, string name)
    {
        var budget = new StateBudget(_budget, context.Quota.Client);
        return kind switch
        {
            ObjectKind.Dict => Add(Dicts, new DictState(name, options, budget)),
            ObjectKind.List => Add(Lists, new ListState(name, options, budget)),
            ObjectKind.Value => Add(Values, new ValueState(name, options, budget)),
            _ => Add(Arrays, new ArrayState(name, options, budget)),
        };
    }

    public void Drop(StateObject item)
    {
        switch (item)
        {
            case DictState dict:
                Dicts.Drop(dict);
                break;
            case ListState list:
                Lists.Drop(list);
                break;
            case ValueState value:
                Values.Drop(value);
                break;
            case ArrayState array:
                Arrays.Drop(array);
                break;
        }
    }

    /// <summary>A vacant object, which exists only for its waiters, is dropped with its last waiter.</summary>
    public void DropIfVacant(StateObject item)
    {
        if (item is { Exists: false, HasWaiters: false })
            Drop(item);
    }

    /// <summary>Before an object's first change: creates it.</summary>
    public void Begin(StateObject item, StateUpdate command)
    {
        if (item.Exists)
            return;
        item.Exists = true;
        item.Version = item.FirstVersion = Floor;
        item.Durability = command.Durability ?? Durability.Memory;
        if (!item.IsDurable)
            return;
        context.Record(new StateBegun(item.Kind, item.Name, item.Durability, item.Version, item.Owner), item.Durability);
        RecordChangesOf(item);
    }

    public void RecordChangesOf(StateObject item) =>
        item.History.Recorder = change => context.Record(new StateEdited(item.Kind, item.Name, change), item.Durability);

    /// <summary>The object has changed or was deleted: wakes its watchers, which then read the changes.</summary>
    public void Wake(StateObject item)
    {
        if (item.Watchers.First is null)
            return;
        var changed = new StateChangedOutcome(WaitStatus.Ok, item.Version);
        while (item.Watchers.First is { } watcher)
            context.Resume(watcher, changed);
    }

    /// <summary>Why no object of this name can be created; null if one can.</summary>
    public ObjectError? ValidateNew(ObjectKind kind, string name) => context.Quota.ValidateNew(kind, name);

    /// <summary>Validates the part of an update that all kinds share: the name and the guard.</summary>
    public ObjectError? ValidateUpdate(StateUpdate command, ObjectKind kind, string name, StateObject? found)
    {
        if (((found is null ? ValidateNew(kind, name) : null) ?? ValidateDurability(command, kind, name, found)) is { } wrong)
            return wrong;
        if (command.Guard is not { } guard)
            return null;
        var version = found?.Version ?? 0;
        var what = $"{kind.Noun()} \"{name}\"";
        if (guard.ExpectedVersion is { } expected && expected != version)
        {
            return Stale(
                $"{what} has version {version}, and version {expected} was expected; read it again", "guard.expected_version", version);
        }

        if (guard.Lock.Length == 0)
        {
            return guard.FencingToken == 0
                ? null
                : ObjectError.Invalid("guard.lock", $"the fencing token {guard.FencingToken} needs the name of its lock");
        }

        if (ObjectQuota.ValidateName(ObjectKind.Lock, guard.Lock) is { } badLock)
            return badLock with { Field = "guard.lock" };
        return locks.IsHeldWith(guard.Lock, guard.FencingToken)
            ? null
            : Stale(
                $"lock \"{guard.Lock}\" is not held with the fencing token {guard.FencingToken}; {what} has version {version}",
                "guard.fencing_token",
                version);
    }

    /// <summary>Whether an object may grow to so many bytes, with so many more of <see cref="StateBudget.AddOverhead"/>.</summary>
    public ObjectError? ValidateBytes(ObjectKind kind, string name, long before, long after, long overhead = 0)
    {
        if (after > options.MaxObjectBytes)
            return Limit(kind, $"{kind.Noun()} \"{name}\" would take {after} bytes, and may take {options.MaxObjectBytes}");
        var total = _budget.Bytes + after - before;
        if (after <= before)
            return null;
        if (total > options.MaxTotalBytes)
            return Limit(kind, $"all shared state would take {total} bytes, and may take {options.MaxTotalBytes}; delete some");
        var client = Find(kind, name) is { } found ? found.Client : context.Quota.Client;
        var more = after - before + Math.Max(0, overhead);
        return context.ValidateShare(client, more) ?? context.ValidateMemory(more);
    }

    /// <summary>As <see cref="ValidateBytes"/>, for an object that has grown already.</summary>
    public ObjectError? ValidateGrowth(StateObject item, long before)
    {
        if (item.Bytes <= before)
            return null;
        if (_budget.Bytes > options.MaxTotalBytes)
        {
            return Limit(
                item.Kind, $"all shared state would take {_budget.Bytes} bytes, and may take {options.MaxTotalBytes}; delete some");
        }

        return context.ValidateShare(item.Client, 0) ?? context.ValidateCountedMemory(item.Bytes - before);
    }

    public static ObjectError Limit(ObjectKind kind, string message) =>
        new(ObjectErrorReason.LimitExceeded, message) { Field = kind.Field() };

    private static T Add<T>(ObjectMap<T> table, T item)
        where T : NamedObject
    {
        table.Add(item);
        return item;
    }

    private ObjectError? ValidateDurability(StateUpdate command, ObjectKind kind, string name, StateObject? found)
    {
        if (command.Durability is < Durability.Memory or > Durability.Disk)
        {
            return ObjectError.Invalid(
                "durability", $"the durability {(int)command.Durability} must be MEMORY (1), PROCESS (2) or DISK (3)");
        }

        if (found is not { Exists: true })
            return context.ValidateDurable(command.Durability ?? Durability.Memory);
        return command.Durability is { } asked && asked != found.Durability
            ? ObjectError.Mismatch(
                "durability",
                $"{kind.Noun()} \"{name}\" has the durability {ContractNames.Of(found.Durability)}, " +
                $"not {ContractNames.Of(asked)}, and keeps it")
            : context.ValidateDurable(found.Durability);
    }

    private static ObjectError Stale(string message, string field, ulong version) =>
        new(ObjectErrorReason.Stale, message) { Field = field, CurrentVersion = version };
}
