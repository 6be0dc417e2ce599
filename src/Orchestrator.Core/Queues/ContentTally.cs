using Orchestrator.Core.Sessions;

namespace Orchestrator.Core.Queues;

/// <summary>The bytes of entries of queues and pipes, and of commands that wait, with what each costs beside its content.</summary>
/// <param name="all">Where they count, too.</param>
/// <param name="client">Whose they are.</param>
internal sealed class ContentTally(ContentTally? all = null, ClientObjectQuota? client = null)
{
    /// <summary>Of an entry: as measured with a million items, rounded up.</summary>
    public const int EntryBytes = 160;

    /// <summary>Of a command that waits: itself, its links, its caller.</summary>
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
