namespace Orchestrator.Core.Common;

/// <summary>
/// Nodes by their next deadline: a binary heap that knows each node's place, so that a node that ends removes its deadline. (Lazy deletion
/// would keep tens of millions of dead entries at full speed.)
/// </summary>
internal sealed class DeadlineHeap<T>
    where T : DeadlineNode
{
    private const int SmallestShrunk = 4_096;

    private Slot[] _slots = new Slot[64];
    private int _count;

    public int Count => _count;

    public T? First => _count == 0 ? null : _slots[0].Node;

    /// <summary>Sets the deadline of a node, whether or not it has one; <see cref="long.MaxValue"/> is never.</summary>
    public void Set(T node, long deadline)
    {
        if (deadline == long.MaxValue)
        {
            Remove(node);
            return;
        }

        node.Deadline = deadline;
        if (node.HeapIndex < 0)
        {
            if (_count == _slots.Length)
                Array.Resize(ref _slots, _count * 2);
            node.HeapIndex = _count;
            _slots[_count++].Node = node;
        }

        Up(node.HeapIndex);
        Down(node.HeapIndex);
    }

    public void Remove(T node)
    {
        var index = node.HeapIndex;
        if (index < 0)
            return;
        node.HeapIndex = -1;
        var last = _slots[--_count].Node;
        _slots[_count].Node = null!;
        if (last != node)
        {
            _slots[index].Node = last;
            last.HeapIndex = index;
            Up(index);
            Down(last.HeapIndex);
        }

        // Frees the space of a past peak; not at each oscillation around a size.
        if (_slots.Length > SmallestShrunk && _count < _slots.Length / 4)
            Array.Resize(ref _slots, _slots.Length / 2);
    }

    private static bool Before(T left, T right) =>
        left.Deadline < right.Deadline || (left.Deadline == right.Deadline && left.Order < right.Order);

    private void Up(int index)
    {
        var node = _slots[index].Node;
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!Before(node, _slots[parent].Node))
                break;
            _slots[index] = _slots[parent];
            _slots[index].Node.HeapIndex = index;
            index = parent;
        }

        _slots[index].Node = node;
        node.HeapIndex = index;
    }

    private void Down(int index)
    {
        var node = _slots[index].Node;
        while (true)
        {
            var child = (2 * index) + 1;
            if (child >= _count)
                break;
            if (child + 1 < _count && Before(_slots[child + 1].Node, _slots[child].Node))
                child++;
            if (!Before(_slots[child].Node, node))
                break;
            _slots[index] = _slots[child];
            _slots[index].Node.HeapIndex = index;
            index = child;
        }

        _slots[index].Node = node;
        node.HeapIndex = index;
    }

    /// <summary>An array of structs, since writing to an array of a non-sealed class costs a type check.</summary>
    private struct Slot
    {
        public T Node;
    }
}
