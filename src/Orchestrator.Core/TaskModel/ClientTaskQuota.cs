namespace Orchestrator.Core.TaskModel;

/// <summary>
/// A client's use of the task engine: its unfinished tasks are bounded, and tasks without a fairness key of their own share fairly between
/// clients. Written only under the engine's lock.
/// </summary>
/// <param name="name">For messages.</param>
/// <param name="number">Unique among the clients of this engine.</param>
public sealed class ClientTaskQuota(string name, long number)
{
    /// <summary>For messages.</summary>
    public string Name => name;

    /// <summary>The quota that the sessions of its tasks' attempts are charged to.</summary>
    public Kernel.ClientObjectQuota? Objects { get; init; }

    /// <summary>Its unfinished tasks.</summary>
    public int Unfinished { get; private set; }

    /// <summary>Bytes of their inputs, and of their data beyond a plain record.</summary>
    public long InputBytes { get; private set; }

    /// <summary>The key of its tasks that have none; no key that a client may choose begins like this.</summary>
    internal string FairnessKey { get; } = $"\u0001{number}";

    internal void Add(int bytes)
    {
        Unfinished++;
        InputBytes += bytes;
    }

    internal void Grow(int bytes) => InputBytes += bytes;

    internal void Remove(int bytes)
    {
        Unfinished--;
        InputBytes -= bytes;
    }
}
