namespace Orchestrator.Core.Queues;

/// <summary>The bytes of all entries of queues and pipes, and of commands that wait, with what each costs beside its content.</summary>
internal sealed class ContentTally
{
    /// <summary>Of an entry: as measured with a million items, rounded up.</summary>
    public const int EntryBytes = 160;

    /// <summary>Of a command that waits: itself, its links, its caller.</summary>
    public const int WaitBytes = 500;

    public long Bytes { get; set; }

    public void Add(in QueueEntry entry) => Bytes += EntryBytes + entry.Bytes;

    public void Remove(in QueueEntry entry) => Bytes -= EntryBytes + entry.Bytes;
}
