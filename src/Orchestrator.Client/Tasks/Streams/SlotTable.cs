using System.Security.Cryptography;
using Orchestrator.V1;

namespace Orchestrator.Client.Tasks.Streams;

/// <summary>
/// The stream's tasks without a known result, found by the tags that results carry. A tag is a slot number and a random number that changes
/// with each use of the slot, so a result can never be matched to another task. Not thread-safe.
/// </summary>
internal sealed class SlotTable
{
    private Slot[] _slots = new Slot[64];
    private int _used;
    private int _firstFree = -1;

    /// <summary>The number of tasks.</summary>
    public int Count { get; private set; }

    /// <summary>Takes a slot and assigns its tag to the spec.</summary>
    public ulong Add(TaskResultObserver observer, long sequence, TaskSpec spec)
    {
        int index;
        if (_firstFree >= 0)
        {
            index = _firstFree;
            _firstFree = _slots[index].NextFree;
        }
        else
        {
            if (_used == _slots.Length)
                Array.Resize(ref _slots, _used * 2);
            index = _used++;
            _slots[index].Salt = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
        }

        ref var slot = ref _slots[index];
        slot.Salt++;
        slot.Observer = observer;
        slot.Sequence = sequence;
        slot.Spec = spec;
        slot.TaskId = 0;
        slot.IsSent = false;
        Count++;
        return spec.Tag = ((ulong)slot.Salt << 32) | (uint)index;
    }

    /// <summary>The task with this tag; null if it has been removed.</summary>
    public OpenTask? Find(ulong tag) => IsHere(tag) ? _slots[(int)(uint)tag].ToOpen() : null;

    /// <summary>Removes the task with this tag.</summary>
    public bool Remove(ulong tag, out OpenTask task)
    {
        task = default;
        if (!IsHere(tag))
            return false;
        task = _slots[(int)(uint)tag].ToOpen();
        Free((int)(uint)tag);
        return true;
    }

    /// <summary>Marks the task as sent; false if it has been removed.</summary>
    public bool MarkSent(ulong tag) => IsHere(tag) && (_slots[(int)(uint)tag].IsSent = true);

    /// <summary>Records the id that the coordinator reported.</summary>
    public bool Accept(ulong tag, ulong taskId, out OpenTask task)
    {
        task = default;
        if (!IsHere(tag))
            return false;
        ref var slot = ref _slots[(int)(uint)tag];
        slot.TaskId = taskId;
        task = slot.ToOpen();
        return true;
    }

    /// <summary>Removes and returns all tasks that the broken connection had sent. Unsent ones still belong to their submitters.</summary>
    public List<OpenTask> TakeSent()
    {
        var taken = new List<OpenTask>();
        for (var i = 0; i < _used; i++)
        {
            if (_slots[i] is { Observer: not null, IsSent: true })
            {
                taken.Add(_slots[i].ToOpen());
                Free(i);
            }
        }

        return taken;
    }

    /// <summary>The tags of a sink's tasks.</summary>
    public List<ulong> TagsOf(TaskResultObserver? observer)
    {
        var tags = new List<ulong>();
        for (var i = 0; i < _used; i++)
        {
            if (_slots[i].Observer is { } owner && (observer is null || owner == observer))
                tags.Add(_slots[i].Spec!.Tag);
        }

        return tags;
    }

    private bool IsHere(ulong tag)
    {
        var index = (uint)tag;
        return index < (uint)_used && _slots[index].Observer is not null && _slots[index].Salt == (uint)(tag >> 32);
    }

    private void Free(int index)
    {
        ref var slot = ref _slots[index];
        slot.Observer = null;
        slot.Spec = null;
        slot.NextFree = _firstFree;
        _firstFree = index;
        Count--;
    }

    private struct Slot
    {
        public TaskResultObserver? Observer;
        public TaskSpec? Spec;
        public long Sequence;
        public ulong TaskId;
        public uint Salt;
        public int NextFree;
        public bool IsSent;

        public readonly OpenTask ToOpen() => new(Observer!, Sequence, Spec!, TaskId);
    }
}
