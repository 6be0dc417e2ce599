using Orchestrator.Core.Common;
using Orchestrator.Core.Kernel;
using Orchestrator.Core.Locks;

namespace Orchestrator.Core.State;

/// <summary>
/// Shared state: watches and deletes objects, and dispatches the rest to <see cref="Dicts"/>, <see cref="Lists"/> and
/// <see cref="Numbers"/>, which work on one <see cref="StateTable"/>.
/// </summary>
internal sealed class SharedStateMachine : PrimitiveMachine
{
    // In the order of their prefixes.
    private static readonly ObjectKind[] Kinds = [ObjectKind.Array, ObjectKind.Dict, ObjectKind.List, ObjectKind.Value];

    private readonly StateTable _table;

    /// <summary>Creates a machine without objects.</summary>
    /// <param name="context">The kernel.</param>
    /// <param name="options">The limits.</param>
    /// <param name="largestValue">The largest value, in bytes.</param>
    /// <param name="locks">The locks, whose fencing tokens may guard an update.</param>
    public SharedStateMachine(IPrimitiveContext context, StateOptions options, int largestValue, LockMachine locks)
        : base(context)
    {
        _table = new StateTable(context, options, locks);
        Dicts = new Dicts(context, options, largestValue, _table);
        Lists = new Lists(context, options, _table);
        Numbers = new Numbers(context, options, _table);
    }

    public Dicts Dicts { get; }

    public Lists Lists { get; }

    public Numbers Numbers { get; }

    /// <inheritdoc cref="StateTable.Bytes"/>
    public long Bytes => _table.Bytes;

    /// <inheritdoc cref="StateTable.HistoryBytes"/>
    public long HistoryBytes => _table.HistoryBytes;

    /// <summary>The changes of an object after a version, for a watch; of a dict only those of keys that begin so.</summary>
    public StateChanges ReadChanges(ObjectKind kind, string name, ulong afterVersion, int maximum, string keyPrefix) =>
        _table.Find(kind, name) is { Exists: true } found
            ? found.ReadChanges(afterVersion, maximum, keyPrefix)
            : new StateChanges(false, 0, false, [], 0);

    /// <summary>Objects in the order of their <see cref="StateInfo.QualifiedName"/>.</summary>
    /// <param name="kind">Dict, list, value or array; null for all.</param>
    /// <param name="after">The qualified name after which to begin; empty for the first page.</param>
    /// <param name="maximum">The most to return.</param>
    public IReadOnlyList<StateInfo> List(ObjectKind? kind, string after, int maximum)
    {
        var page = new List<StateInfo>();
        foreach (var listed in Kinds)
        {
            var prefix = listed.Qualify("");
            var isWithin = after.StartsWith(prefix, StringComparison.Ordinal);
            if ((kind is { } only && only != listed) || (!isWithin && string.CompareOrdinal(after, prefix) > 0))
                continue;
            page.AddRange(_table.After(listed, isWithin ? after[prefix.Length..] : "", maximum - page.Count).Select(Describe));
            if (page.Count == maximum)
                break;
        }

        return page;
    }

    /// <summary>Restores the version from which new objects begin.</summary>
    public void RestoreFloor(ulong floor) => _table.Floor = Math.Max(_table.Floor, floor);

    /// <summary>Restores an object of an earlier process on behalf of the client of the step.</summary>
    public void Restore(RestoredState restored)
    {
        var item = _table.Add(restored.Kind, restored.Name);
        item.Exists = true;
        item.Durability = restored.Durability;
        item.Version = restored.Version;
        _table.RecordChangesOf(item);
        switch (item)
        {
            case DictState dict:
                foreach (var entry in restored.Entries)
                {
                    var added = dict.Restore(entry.Key, entry.Value, entry.Version);
                    if (entry.Deadline != long.MaxValue)
                        Context.SetTimer(added.Expiry = new DictExpiry(Context.NextOrder(), dict, added), Math.Max(1, entry.Deadline));
                }

                break;
            case ListState list:
                list.Restore(restored.Values);
                break;
            case ValueState value:
                value.Current = restored.Numbers[0];
                break;
            case ArrayState array:
                array.Allocate(restored.Numbers.Count);
                array.IsReal = restored.IsReal;
                for (var i = 0; i < restored.Numbers.Count; i++)
                    array[i] = restored.Numbers[i];
                break;
        }
    }

    public override void Apply(ObjectCommand command)
    {
        switch (command)
        {
            case UpdateDict update:
                Dicts.Update(update);
                break;
            case UpdateList update:
                Lists.Update(update);
                break;
            case UpdateValue update:
                Numbers.Update(update);
                break;
            case UpdateArray update:
                Numbers.Update(update);
                break;
            case AwaitStateChange wait:
                Await(wait);
                break;
            case DeleteState delete:
                Delete(delete);
                break;
            default:
                throw NotMine(command);
        }
    }

    public override void OnWaiterLeft(Wait wait) => _table.DropIfVacant((StateObject)wait.Object);

    public override void OnTimer(ObjectTimer timer)
    {
        if (timer is DictExpiry expiry)
            Dicts.OnExpired((DictState)timer.Object, expiry.Entry);
    }

    private void Await(AwaitStateChange command)
    {
        var found = _table.Find(command.Kind, command.Name);
        var wrong = ValidateKind(command.Kind)
            ?? command.ValidateTimeout()
            ?? (found is null ? _table.ValidateNew(command.Kind, command.Name) : null);
        if (wrong is not null)
        {
            Context.Complete(command, wrong);
            return;
        }

        if ((found?.Version ?? 0) != command.AfterVersion)
        {
            Context.Complete(command, new StateChangedOutcome(WaitStatus.Ok, found?.Version ?? 0));
            return;
        }

        found ??= _table.Add(command.Kind, command.Name);
        Context.Suspend(command, command.Session, found, found.Watchers);
        _table.DropIfVacant(found);
    }

    private void Delete(DeleteState command)
    {
        var found = _table.Find(command.Kind, command.Name);
        var wrong = ValidateKind(command.Kind) ?? ObjectQuota.ValidateName(command.Kind, command.Name);
        if (wrong is null && found is not { Exists: true })
            wrong = new ObjectError(ObjectErrorReason.NotFound, $"there is no {command.Kind.Noun()} \"{command.Name}\"") { Field = "name" };
        wrong ??= Context.ValidateDurable(found!.Durability);
        if (wrong is not null)
        {
            Context.Complete(command, wrong);
            return;
        }

        _table.Floor = Math.Max(_table.Floor, found!.Version + 1);
        if (found.IsDurable)
            Context.Record(new StateDeleted(found.Kind, found.Name, _table.Floor), found.Durability);
        found.History.Recorder = null;
        found.Clear(Context);
        found.Exists = false;
        found.Durability = Durability.Memory;
        found.Version = found.FirstVersion = 0;
        _table.Drop(found);
        Context.Complete(command, Done.Instance);
        _table.Wake(found);
    }

    private static StateInfo Describe(StateObject item) =>
        new(item.Kind, item.Name, item.Version, item.Count, item.Bytes) { Durability = item.Durability, Owner = item.Owner };

    private static ObjectError? ValidateKind(ObjectKind kind) => kind is >= ObjectKind.Dict and <= ObjectKind.Array
        ? null
        : ObjectError.Invalid("kind", "the kind must be DICT (1), LIST (2), VALUE (3) or ARRAY (4)");
}
