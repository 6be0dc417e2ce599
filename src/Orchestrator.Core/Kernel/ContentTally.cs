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

    /// <summary>How many entries of queues and pipes there are.</summary>
    public long Entries { get; private set; }

    public void Add(long bytes) => Add(bytes, 0);

    public void Add(in QueueEntry entry) => Add(EntryBytes + entry.Bytes, 1);

    public void Remove(in QueueEntry entry) => Add(-EntryBytes - entry.Bytes, -1);

    /// <summary>Removes entries with so many bytes of content together.</summary>
    public void RemoveAll(int entries, long bytes) => Add(-bytes - ((long)entries * EntryBytes), -entries);

    private void Add(long bytes, int entries)
    {
        Bytes += bytes;
        Entries += entries;
        client?.Bytes += bytes;
        all?.Add(bytes, entries);
    }
}
