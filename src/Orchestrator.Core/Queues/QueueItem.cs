using Orchestrator.Core.Kernel;

namespace Orchestrator.Core.Queues;

/// <summary>An item to put.</summary>
/// <param name="Body">The payload.</param>
/// <param name="Priority">For PRIORITY queues: the smallest is taken first.</param>
public readonly record struct PutItem(Content Body, long Priority = 0);

/// <summary>An item that was taken.</summary>
public readonly struct QueueItem
{
    internal readonly QueueEntry Entry;

    internal QueueItem(in QueueEntry entry, ulong leaseId)
    {
        Entry = entry;
        LeaseId = leaseId;
    }

    /// <summary>An item that was taken permanently before a restart, for the answer to the same request.</summary>
    public static QueueItem TakenBefore(in KeptItem item) => new(
        new QueueEntry
        {
            Body = item.Body,
            Bytes = item.Bytes,
            Sequence = item.Sequence,
            Priority = item.Priority,
            PutAt = item.PutAt,
            Deliveries = item.Deliveries
        }, 0);

    /// <summary>The payload.</summary>
    public Content Body => new(DeadLetter?.Body ?? Entry.Body, Entry.Bytes);

    /// <summary>As it was put.</summary>
    public long Priority => Entry.Priority;

    /// <summary>Its number within the queue: 1 is the first that was ever put.</summary>
    public ulong Sequence => (ulong)Entry.Sequence;

    /// <summary>The number of this delivery; 1 is the first.</summary>
    public int Delivery => Entry.Deliveries;

    /// <summary>The id that settles it; 0 where it was taken permanently.</summary>
    public ulong LeaseId { get; }

    /// <summary>When it was put, on the engine's clock.</summary>
    public TimeSpan PutAt => TimeSpan.FromTicks(Entry.PutAt);

    /// <summary>Why it was moved to this queue, where it is a dead-letter queue.</summary>
    public DeadLetter? DeadLetter => Entry.Body as DeadLetter;
}

/// <summary>An item that will not be delivered again from its original queue.</summary>
/// <param name="Body">The payload.</param>
/// <param name="Queue">The queue that it was put to.</param>
/// <param name="Sequence">Its number there.</param>
/// <param name="Deliveries">How often it was delivered there.</param>
/// <param name="Reason">Why it is here, for people.</param>
public sealed record DeadLetter(object Body, string Queue, ulong Sequence, int Deliveries, string Reason);
