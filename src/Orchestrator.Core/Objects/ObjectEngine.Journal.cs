using Orchestrator.Core.Journal;
using Orchestrator.Core.Queues;
using Orchestrator.Core.Sessions;
using Orchestrator.Core.State;

namespace Orchestrator.Core.Objects;

/// <summary>
/// Durable objects: the changes of a step go into <see cref="ObjectEffects.Changes"/>, and a restarted engine restores them. Sessions,
/// waits and holds do not outlive the process; so for durable objects a restart equals the end of all sessions.
/// </summary>
public sealed partial class ObjectEngine
{
    /// <summary>Why durable objects can no longer be changed; null while they can. Once set it stays.</summary>
    public string? JournalFailure
    {
        get => _kernel.Durable.JournalFailure;
        set => _kernel.Durable.JournalFailure = value;
    }

    /// <summary>The largest lease id assigned so far.</summary>
    public ulong LastLeaseId => _queues.LastLeaseId;

    /// <summary>Restores the durable objects of an earlier process, before the first command.</summary>
    /// <param name="restored">The recovered objects.</param>
    /// <param name="now">The time; times in <paramref name="restored"/> may lie before the engine's zero.</param>
    /// <param name="effects">The resulting changes: an item whose last allowed delivery was interrupted becomes a dead letter.</param>
    public void Restore(RestoredObjects restored, TimeSpan now, ObjectEffects effects)
    {
        ArgumentNullException.ThrowIfNull(restored);
        _kernel.Begin(now, effects, null);
        _stateFloor = Math.Max(_stateFloor, restored.StateFloor);
        foreach (var state in restored.States)
        {
            _kernel.Quota.Client = _options.Clients.OwnerOf(state.Owner);
            Restore(state);
        }

        foreach (var request in restored.Requests)
            _kernel.Replays.Restore(request, briefly: request.Command == typeof(GetItems));
        _queues.Restore(restored.Queues, _options.Clients);
        EndStep();
    }

    private void Restore(RestoredState restored)
    {
        var item = AddState(restored.Kind, restored.Name);
        item.Exists = true;
        item.Durability = restored.Durability;
        item.Version = restored.Version;
        RecordChangesOf(item);
        switch (item)
        {
            case DictState dict:
                foreach (var entry in restored.Entries)
                {
                    var added = dict.Restore(entry.Key, entry.Value, entry.Version);
                    if (entry.Deadline != long.MaxValue)
                        SetTimer(added.Expiry = new DictExpiry(NextOrder(), dict, added), Math.Max(1, entry.Deadline));
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
}
