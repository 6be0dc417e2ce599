namespace Orchestrator.Client;

/// <summary>A stream that has been answered, and the life of the coordinator that it reached.</summary>
internal sealed class StreamConnection(TaskStream stream)
{
    private volatile bool _isBroken;

    public TaskStream Stream => stream;

    public string Instance => stream.Instance;

    /// <summary>It takes nothing more.</summary>
    public bool IsBroken => _isBroken || stream.Completion.IsCompleted;

    /// <summary>Its tasks have been looked through; what is marked as sent from now on has been missed. Under the line's lock.</summary>
    public bool IsSettled { get; set; }

    public void Break() => _isBroken = true;
}
