using Orchestrator.Core.TaskModel;

namespace Orchestrator.Core.Tasks;

/// <summary>
/// Delivered results: still readable for a while, and the first to be dropped. Undelivered results are kept for their time to live instead
/// (<see cref="TaskFlags.Retained"/>).
/// </summary>
internal sealed class ResultRetention(int capacity, long maxBytes)
{
    private readonly Queue<TaskRecord> _tasks = new();
    private long _bytes;

    /// <summary>
    /// Adds an ended task and returns the task that must be dropped for it, if any; call again with null until none is left.
    /// </summary>
    public TaskRecord? Add(TaskRecord? ended)
    {
        if (ended is not null)
        {
            _tasks.Enqueue(ended);
            _bytes += ended.OutputBytes + ended.ExtraBytes;
        }

        if (_tasks.Count <= capacity && _bytes <= maxBytes)
            return null;
        var oldest = _tasks.Dequeue();
        _bytes -= oldest.OutputBytes + oldest.ExtraBytes;
        return oldest;
    }
}
