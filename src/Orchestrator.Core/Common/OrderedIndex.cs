namespace Orchestrator.Core.Common;

/// <summary>
/// Items in the order of unique keys: blocks of sorted keys, and the key from which each block begins. Adding, removing and finding take
/// two binary searches and the move of half a block, and 16 bytes an item in full blocks; a balanced tree would take 48 and more misses
/// of the cache. Not changed while it is enumerated.
/// </summary>
internal sealed class OrderedIndex<TKey, TItem>(IComparer<TKey> order)
    where TItem : class
{
    private const int BlockSize = 256;
    private const int FirstSize = 8;

    // The first block takes all keys below the second's, whatever its own beginning.
    private TKey[] _beginnings = new TKey[1];
    private Block[] _blocks = [new Block()];
    private int _blockCount = 1;

    public int Count { get; private set; }

    /// <summary>Adds an item whose key is new.</summary>
    public void Add(TKey key, TItem item)
    {
        var at = BlockOf(key);
        var block = _blocks[at];
        if (block.Count == BlockSize)
        {
            // Keys that come in order fill their blocks.
            var isLast = at == _blockCount - 1 && order.Compare(block.Keys[BlockSize - 1], key) < 0;
            var moved = isLast ? 0 : BlockSize / 2;
            var next = new Block();
            block.MoveTo(next, BlockSize - moved, moved);
            Insert(at + 1, isLast ? key : next.Keys[0], next);
            if (order.Compare(key, _beginnings[at + 1]) >= 0)
                block = next;
        }

        block.Insert(~Array.BinarySearch(block.Keys, 0, block.Count, key, order), key, item);
        Count++;
    }

    /// <summary>Removes the item of a key; does nothing if there is none.</summary>
    public void Remove(TKey key)
    {
        var at = BlockOf(key);
        var block = _blocks[at];
        var index = Array.BinarySearch(block.Keys, 0, block.Count, key, order);
        if (index < 0)
            return;
        block.Remove(index);
        Count--;
        if (block.Count >= BlockSize / 4)
            return;
        // Neighbours that have become small join, so that an index that shrinks takes less.
        if (at > 0 && _blocks[at - 1].Count + block.Count <= BlockSize / 2)
            Join(at - 1);
        else if (at + 1 < _blockCount && _blocks[at + 1].Count + block.Count <= BlockSize / 2)
            Join(at);
    }

    /// <summary>The items from a key on, in order.</summary>
    /// <param name="key">The key.</param>
    /// <param name="isAfter">Leaves out the item of the key itself.</param>
    public IEnumerable<TItem> From(TKey key, bool isAfter)
    {
        var at = BlockOf(key);
        var index = Array.BinarySearch(_blocks[at].Keys, 0, _blocks[at].Count, key, order);
        index = index < 0 ? ~index : isAfter ? index + 1 : index;
        for (; at < _blockCount; at++, index = 0)
        {
            var block = _blocks[at];
            for (; index < block.Count; index++)
                yield return block.Items[index];
        }
    }

    private int BlockOf(TKey key)
    {
        var found = Array.BinarySearch(_beginnings, 1, _blockCount - 1, key, order);
        return found >= 0 ? found : ~found - 1;
    }

    private void Insert(int at, TKey beginning, Block block)
    {
        if (_blockCount == _blocks.Length)
        {
            Array.Resize(ref _blocks, _blockCount * 2);
            Array.Resize(ref _beginnings, _blockCount * 2);
        }

        Array.Copy(_blocks, at, _blocks, at + 1, _blockCount - at);
        Array.Copy(_beginnings, at, _beginnings, at + 1, _blockCount - at);
        (_blocks[at], _beginnings[at]) = (block, beginning);
        _blockCount++;
    }

    /// <summary>Moves the items of the block behind this one into it.</summary>
    private void Join(int at)
    {
        var (block, next) = (_blocks[at], _blocks[at + 1]);
        next.MoveTo(block, 0, next.Count);
        _blockCount--;
        Array.Copy(_blocks, at + 2, _blocks, at + 1, _blockCount - at - 1);
        Array.Copy(_beginnings, at + 2, _beginnings, at + 1, _blockCount - at - 1);
        (_blocks[_blockCount], _beginnings[_blockCount]) = (null!, default!);
    }

    private sealed class Block
    {
        public TKey[] Keys = new TKey[FirstSize];
        public TItem[] Items = new TItem[FirstSize];
        public int Count;

        public void Insert(int index, TKey key, TItem item)
        {
            Reserve(Count + 1);
            Array.Copy(Keys, index, Keys, index + 1, Count - index);
            Array.Copy(Items, index, Items, index + 1, Count - index);
            (Keys[index], Items[index]) = (key, item);
            Count++;
        }

        public void Remove(int index)
        {
            Count--;
            Array.Copy(Keys, index + 1, Keys, index, Count - index);
            Array.Copy(Items, index + 1, Items, index, Count - index);
            (Keys[Count], Items[Count]) = (default!, default!);
        }

        /// <summary>Moves items to the end of another block.</summary>
        public void MoveTo(Block other, int from, int count)
        {
            other.Reserve(other.Count + count);
            Array.Copy(Keys, from, other.Keys, other.Count, count);
            Array.Copy(Items, from, other.Items, other.Count, count);
            Array.Clear(Keys, from, count);
            Array.Clear(Items, from, count);
            other.Count += count;
            Count -= count;
        }

        private void Reserve(int count)
        {
            if (count <= Keys.Length)
                return;
            var size = Math.Min(BlockSize, Math.Max(count, Keys.Length * 2));
            Array.Resize(ref Keys, size);
            Array.Resize(ref Items, size);
        }
    }
}
