using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Scheduling;

/// <summary>
/// Binds an affinity key to a worker: the one that got its first task, as long as it accepts work. Bounded: the least recently used key is
/// dropped first, which costs only locality. Each route has its own bindings, since a worker of one group cannot run the handlers of
/// another.
/// </summary>
internal sealed class AffinityTable(int capacity)
{
    private readonly Dictionary<(HandlerRoute Route, string Key), LinkedListNode<Binding>> _nodes = [];
    private readonly LinkedList<Binding> _recent = new();

    public int Count => _nodes.Count;

    public WorkerNode? Find(HandlerRoute route, string name)
    {
        var key = (route, name);
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

    public void Bind(HandlerRoute route, string name, WorkerNode worker)
    {
        var key = (route, name);
        if (_nodes.Remove(key, out var old))
            _recent.Remove(old);
        _nodes.Add(key, _recent.AddLast(new Binding(key, worker)));
        if (_nodes.Count <= capacity)
            return;
        _nodes.Remove(_recent.First!.Value.Key);
        _recent.RemoveFirst();
    }

    private sealed record Binding((HandlerRoute Route, string Key) Key, WorkerNode Worker);
}
