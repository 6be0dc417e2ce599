namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Which worker an affinity key is bound to: the one that got its first task, as long as it takes work. Bounded: the key least recently
/// used is forgotten first, which costs locality and nothing else.
/// </summary>
internal sealed class AffinityTable(int capacity)
{
    private readonly Dictionary<string, LinkedListNode<(string Key, EngineWorker Worker)>> _nodes = [];
    private readonly LinkedList<(string Key, EngineWorker Worker)> _recent = new();

    public int Count => _nodes.Count;

    public EngineWorker? Find(string key)
    {
        if (!_nodes.TryGetValue(key, out var node))
            return null;
        if (node.Value.Worker.IsClosed)
        {
            _nodes.Remove(key);
            _recent.Remove(node);
            return null;
        }

        _recent.Remove(node);
        _recent.AddLast(node);
        return node.Value.Worker;
    }

    public void Bind(string key, EngineWorker worker)
    {
        if (_nodes.Remove(key, out var old))
            _recent.Remove(old);
        _nodes.Add(key, _recent.AddLast((key, worker)));
        if (_nodes.Count <= capacity)
            return;
        _nodes.Remove(_recent.First!.Value.Key);
        _recent.RemoveFirst();
    }
}
