namespace Orchestrator.Core.Tasks;

/// <summary>Idempotency keys and the tasks that they named, for a window of time and up to a number.</summary>
internal sealed class RequestIds(int capacity, long windowTicks)
{
    private readonly Dictionary<string, long> _tasks = [];
    private readonly Queue<(string RequestId, long Expires)> _byAge = new();

    public int Count => _tasks.Count;

    /// <summary>The task that the request id named within the window; null when it is new.</summary>
    public long? Find(string requestId, long now)
    {
        Expire(now);
        return _tasks.TryGetValue(requestId, out var taskId) ? taskId : null;
    }

    public void Add(string requestId, long taskId, long now)
    {
        if (_tasks.Count >= capacity)
            RemoveOldest();
        _tasks.Add(requestId, taskId);
        _byAge.Enqueue((requestId, now + windowTicks));
    }

    private void Expire(long now)
    {
        while (_byAge.TryPeek(out var oldest) && oldest.Expires <= now)
            RemoveOldest();
    }

    private void RemoveOldest() => _tasks.Remove(_byAge.Dequeue().RequestId);
}
