namespace Orchestrator.Core.Kernel;

/// <summary>
/// The bytes of content: entries of queues and pipes and waiting commands, including the overhead of each, and shared state.
/// </summary>
/// <param name="all">The parent tally, which counts them too.</param>
/// <param name="client">The client that they are charged to.</param>
internal sealed class ContentTally(ContentTally? all = null, ClientObjectQuota? client = null)
{
    /// <summary>Overhead of an entry: as measured with a million items, rounded up.</summary>
    public const int EntryBytes = 160;

    /// <summary>Overhead of a waiting command: itself, its links, its caller.</summary>
    public const int WaitBytes = 500;

    public long Bytes { get; private set; }

    public void Add(long bytes)
    {
        Bytes += bytes;
        client?.Bytes += bytes;
        all?.Add(bytes);
    }

    public void Add(in QueueEntry entry) => Add(EntryBytes + entry.Bytes);

    public void Remove(in QueueEntry entry) => Add(-EntryBytes - entry.Bytes);
}
