using Orchestrator.Core.Journal;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>Shared state: the common part of its kinds.</summary>
public sealed partial class ObjectEngine
{
    private readonly ObjectMap<DictState> _dicts;
    private readonly ObjectMap<ListState> _lists;
    private readonly ObjectMap<ValueState> _values;
    private readonly ObjectMap<ArrayState> _arrays;
    private readonly StateBudget _stateBudget;

    // A new object never reuses a version of an earlier object of its name: a client that saw that version must not mistake the new object
    // for it.
    private ulong _stateFloor;

    /// <summary>The keys and values of all shared state, in bytes.</summary>
    public long StateBytes => _stateBudget.Bytes;

    /// <summary>The changes that are kept for watches, in bytes, approximately.</summary>
    public long StateHistoryBytes => _stateBudget.HistoryBytes;

    /// <summary>The changes of an object after a version: for a watch.</summary>
    /// <param name="kind">Dict, list, value or array.</param>
    /// <param name="name">Its name.</param>
    /// <param name="afterVersion">The version that is known; 0 while the object does not exist.</param>
    /// <param name="maximum">The most changes to return.</param>
    /// <param name="keyPrefix">For a dict: only keys that begin so.</param>
    public StateChanges ReadChanges(ObjectKind kind, string name, ulong afterVersion, int maximum, string keyPrefix = "") =>
        FindState(kind, name) is { Exists: true } found
            ? found.ReadChanges(afterVersion, maximum, keyPrefix)
            : new StateChanges(false, 0, false, [], 0);

    /// <summary>Objects in the order of their <see cref="StateInfo.QualifiedName"/>.</summary>
    /// <param name="kind">Dict, list, value or array; null for all.</param>
    /// <param name="after">The qualified name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<StateInfo> ListState(ObjectKind? kind, string after, int maximum)
    {
        var all = _dicts.All.Concat<StateObject>(_lists.All).Concat(_values.All).Concat(_arrays.All);
        var asked = all.Where(item => item.Exists && (kind is null || item.Kind == kind));
        return [.. NamePager.After(asked, item => item.QualifiedName, after, maximum)
            .Select(item => new StateInfo(item.Kind, item.Name, item.Version, item.Count, item.Bytes) { Durability = item.Durability, Owner = item.Owner })];
    }

    internal void OnAwaitStateChange(AwaitStateChange command)
    {
        var found = FindState(command.Kind, command.Name);
        if ((ValidateKind(command.Kind) ?? command.ValidateTimeout() ?? (found is null ? ValidateState(command.Kind, command.Name) : null)) is { } wrong)
        {
            Complete(command, wrong);
            return;
        }

        if ((found?.Version ?? 0) != command.AfterVersion)
        {
            Complete(command, new StateChangedOutcome(WaitStatus.Ok, found?.Version ?? 0));
            return;
        }

        found ??= AddState(command.Kind, command.Name);
        Suspend(command, command.Session, found, found.Watchers);
        DropIfVacant(found);
    }

    internal void OnDeleteState(DeleteState command)
    {
        var found = FindState(command.Kind, command.Name);
        var wrong = ValidateKind(command.Kind) ?? ObjectQuota.ValidateName(command.Kind, command.Name);
        if (wrong is null && found is not { Exists: true })
            wrong = new ObjectError(ObjectErrorReason.NotFound, $"there is no {command.Kind.Noun()} \"{command.Name}\"") { Field = "name" };
        wrong ??= ValidateDurable(found!.Durability);
        if (wrong is not null)
        {
            Complete(command, wrong);
            return;
        }

        _stateFloor = Math.Max(_stateFloor, found!.Version + 1);
        if (found.IsDurable)
            Record(new StateDeleted(found.Kind, found.Name, _stateFloor), found.Durability);
        found.History.Recorder = null;
        found.Clear(this);
        found.Exists = false;
        found.Durability = Durability.Memory;
        found.Version = 0;
        DropState(found);
        Complete(command, Done.Instance);
        Wake(found);
    }

    /// <summary>A vacant object, which exists only for its waiters, is dropped with its last waiter.</summary>
    internal void DropIfVacant(StateObject item)
    {
        if (item is { Exists: false, HasWaiters: false })
            DropState(item);
    }

    /// <summary>Before an object's first change: creates it.</summary>
    private void Begin(StateObject item, StateUpdate command)
    {
        if (item.Exists)
            return;
        item.Exists = true;
        item.Version = _stateFloor;
        item.Durability = command.Durability ?? Durability.Memory;
        if (!item.IsDurable)
            return;
        Record(new StateBegun(item.Kind, item.Name, item.Durability, item.Version, item.Client?.Credential ?? ""), item.Durability);
        RecordChangesOf(item);
    }

    private void RecordChangesOf(StateObject item) =>
        item.History.Recorder = change => Record(new StateEdited(item.Kind, item.Name, change), item.Durability);

    /// <summary>The object has changed or was deleted: wakes its watchers, which then read the changes.</summary>
    private void Wake(StateObject item)
    {
        if (item.Watchers.First is null)
            return;
        var changed = new StateChangedOutcome(WaitStatus.Ok, item.Version);
        while (item.Watchers.First is { } watcher)
            Resume(watcher, changed);
    }

    private StateObject? FindState(ObjectKind kind, string name) => kind switch
    {
        ObjectKind.Dict => _dicts.Find(name),
        ObjectKind.List => _lists.Find(name),
        ObjectKind.Value => _values.Find(name),
        ObjectKind.Array => _arrays.Find(name),
        _ => null,
    };

    private StateObject AddState(ObjectKind kind, string name)
    {
        var budget = new StateBudget(_stateBudget, _kernel.Quota.Client);
        return kind switch
        {
            ObjectKind.Dict => Add(_dicts, new DictState(name, _options.State, budget)),
            ObjectKind.List => Add(_lists, new ListState(name, _options.State, budget)),
            ObjectKind.Value => Add(_values, new ValueState(name, _options.State, budget)),
            _ => Add(_arrays, new ArrayState(name, _options.State, budget)),
        };
    }

    private static T Add<T>(ObjectMap<T> table, T item)
        where T : NamedObject
    {
        table.Add(item);
        return item;
    }

    private void DropState(StateObject item)
    {
        switch (item)
        {
            case DictState dict:
                _dicts.Drop(dict);
                break;
            case ListState list:
                _lists.Drop(list);
                break;
            case ValueState value:
                _values.Drop(value);
                break;
            case ArrayState array:
                _arrays.Drop(array);
                break;
        }
    }

    private static ObjectError? ValidateKind(ObjectKind kind) => kind is >= ObjectKind.Dict and <= ObjectKind.Array
        ? null
        : ObjectError.Invalid("kind", "the kind must be DICT (1), LIST (2), VALUE (3) or ARRAY (4)");

    /// <summary>Why no object of this name can be created; null if one can.</summary>
    private ObjectError? ValidateState(ObjectKind kind, string name) => _kernel.Quota.ValidateNew(kind, name);

    /// <summary>Validates the part of an update that all kinds share: the name and the guard.</summary>
    private ObjectError? ValidateUpdate(StateUpdate command, ObjectKind kind, string name, StateObject? found)
    {
        if (((found is null ? ValidateState(kind, name) : null) ?? ValidateDurability(command, kind, name, found)) is { } wrong)
            return wrong;
        if (command.Guard is not { } guard)
            return null;
        var version = found?.Version ?? 0;
        var what = $"{kind.Noun()} \"{name}\"";
        if (guard.ExpectedVersion is { } expected && expected != version)
            return Stale($"{what} has version {version}, and version {expected} was expected; read it again", "guard.expected_version", version);
        if (guard.Lock.Length == 0)
            return guard.FencingToken == 0 ? null : ObjectError.Invalid("guard.lock", $"the fencing token {guard.FencingToken} needs the name of its lock");
        if (ObjectQuota.ValidateName(ObjectKind.Lock, guard.Lock) is { } badLock)
            return badLock with { Field = "guard.lock" };
        return Locks.IsHeldWith(guard.Lock, guard.FencingToken)
            ? null
            : Stale($"lock \"{guard.Lock}\" is not held with the fencing token {guard.FencingToken}; {what} has version {version}", "guard.fencing_token", version);
    }

    private ObjectError? ValidateDurability(StateUpdate command, ObjectKind kind, string name, StateObject? found)
    {
        if (command.Durability is < Durability.Memory or > Durability.Disk)
            return ObjectError.Invalid("durability", $"the durability {(int)command.Durability} must be MEMORY (1), PROCESS (2) or DISK (3)");
        if (found is not { Exists: true })
            return ValidateDurable(command.Durability ?? Durability.Memory);
        return command.Durability is { } asked && asked != found.Durability
            ? ObjectError.Mismatch("durability", $"{kind.Noun()} \"{name}\" has the durability {ContractNames.Of(found.Durability)}, not {ContractNames.Of(asked)}, and keeps it")
            : ValidateDurable(found.Durability);
    }

    private static ObjectError Stale(string message, string field, ulong version) =>
        new(ObjectErrorReason.Stale, message) { Field = field, CurrentVersion = version };

    /// <summary>Whether an object may grow to so many bytes.</summary>
    private ObjectError? ValidateBytes(ObjectKind kind, string name, long before, long after)
    {
        var limits = _options.State;
        if (after > limits.MaxObjectBytes)
            return Limit(kind, $"{kind.Noun()} \"{name}\" would take {after} bytes, and may take {limits.MaxObjectBytes}");
        var total = _stateBudget.Bytes + after - before;
        if (after <= before)
            return null;
        if (total > limits.MaxTotalBytes)
            return Limit(kind, $"all shared state would take {total} bytes, and may take {limits.MaxTotalBytes}; delete some");
        var client = FindState(kind, name) is { } found ? found.Client : _kernel.Quota.Client;
        return ValidateShare(client, after - before) ?? _kernel.ValidateMemory(after - before);
    }

    private static ObjectError Limit(ObjectKind kind, string message) => new(ObjectErrorReason.LimitExceeded, message) { Field = kind.Field() };
}
