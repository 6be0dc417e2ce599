using Orchestrator.Client.Contract;

namespace Orchestrator.Client.Tasks.Streams;

/// <summary>A stream that the coordinator has answered, and the coordinator instance that it reached.</summary>
internal sealed class StreamConnection(TaskStream stream)
{
    private volatile bool _isBroken;

    public TaskStream Stream => stream;

    public string Instance => stream.Instance;

    /// <summary>Whether the stream takes no more tasks.</summary>
    public bool IsBroken => _isBroken || stream.Completion.IsCompleted;

    /// <summary>
    /// Whether its sent tasks have been collected; a task marked as sent later would be missed. Guarded by the stream's lock.
    /// </summary>
    public bool IsSettled { get; set; }

    public void Break() => _isBroken = true;
}
