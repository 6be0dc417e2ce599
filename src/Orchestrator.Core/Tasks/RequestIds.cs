namespace Orchestrator.Core.Tasks;

/// <summary>Idempotency keys and their tasks, for a window of time, up to a number and a total of bytes.</summary>
internal sealed class RequestIds(int capacity, long maxBytes, long windowTicks)
{
    // Overhead of an id: the string, an entry of the table and one of the queue.
    private const int EntryBytes = 100;

    private readonly Dictionary<string, long> _tasks = [];
    private readonly Queue<(string RequestId, long TaskId, long Expires)> _byAge = new();

    public int Count => _tasks.Count;

    /// <summary>Their size.</summary>
    public long Bytes { get; private set; }

    /// <summary>The task that the request id named within the window; null when it is new.</summary>
    public long? Find(string requestId, long now)
    {
        Expire(now);
        return _tasks.TryGetValue(requestId, out var taskId) ? taskId : null;
    }

    /// <summary>From now on it names this task, whatever it named before.</summary>
    public void Add(string requestId, long taskId, long acceptedAt)
    {
        while (_byAge.Count > 0 && (_byAge.Count >= capacity || Bytes + BytesOf(requestId) > maxBytes))
            RemoveOldest();
        Bytes += BytesOf(requestId);
        _tasks[requestId] = taskId;
        _byAge.Enqueue((requestId, taskId, acceptedAt + windowTicks));
    }

    private void Expire(long now)
    {
        while (_byAge.TryPeek(out var oldest) && oldest.Expires <= now)
            RemoveOldest();
    }

    private void RemoveOldest()
    {
        var (requestId, taskId, _) = _byAge.Dequeue();
        Bytes -= BytesOf(requestId);
        if (_tasks.TryGetValue(requestId, out var named) && named == taskId)
            _tasks.Remove(requestId);
    }

    private static int BytesOf(string requestId) => EntryBytes + (sizeof(char) * requestId.Length);
}
