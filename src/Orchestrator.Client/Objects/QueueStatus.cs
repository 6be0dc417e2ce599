using Orchestrator.V1;

namespace Orchestrator.Client.Objects;

/// <summary>The state of a queue.</summary>
public sealed record QueueStatus
{
    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>How it was created, with the coordinator's defaults filled in.</summary>
    public QueueOptions Options { get; init; } = new();

    /// <summary>Items that a get would take now.</summary>
    public long ReadyItems { get; init; }

    /// <summary>Items that are leased.</summary>
    public long LeasedItems { get; init; }

    /// <summary>Items that were put and are not done, for joiners.</summary>
    public long UnfinishedItems { get; init; }

    /// <summary>The size of the ready items, in bytes.</summary>
    public long ReadyBytes { get; init; }

    /// <summary>Callers that wait for an item.</summary>
    public int WaitingGetters { get; init; }

    /// <summary>Callers that wait for room.</summary>
    public int WaitingPutters { get; init; }

    /// <summary>Whether it takes no more items.</summary>
    public bool IsShutDown { get; init; }

    /// <summary>How long the oldest ready item has waited; null if there is none.</summary>
    public TimeSpan? OldestAge { get; init; }

    /// <summary>Items that were moved to the dead-letter queue.</summary>
    public long DeadLetteredItems { get; init; }

    /// <summary>Items that were dropped.</summary>
    public long DroppedItems { get; init; }

    /// <summary>The client that created it.</summary>
    public string Owner { get; init; } = "";

    internal static QueueStatus From(QueueInfo info) => new()
    {
        Name = info.Spec.Name,
        Options = QueueOptions.From(info.Spec),
        ReadyItems = info.ReadyItems,
        LeasedItems = info.LeasedItems,
        UnfinishedItems = info.UnfinishedItems,
        ReadyBytes = info.ReadyBytes,
        WaitingGetters = info.WaitingGetters,
        WaitingPutters = info.WaitingPutters,
        IsShutDown = info.ShutDown,
        OldestAge = info.OldestAge?.ToTimeSpan(),
        DeadLetteredItems = info.DeadLetteredItems,
        DroppedItems = info.DroppedItems,
        Owner = info.Owner,
    };
}
