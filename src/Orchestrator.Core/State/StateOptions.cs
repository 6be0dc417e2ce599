namespace Orchestrator.Core.State;

/// <summary>The limits of shared state.</summary>
public sealed record StateOptions
{
    /// <summary>The most entries of a dict and elements of a list.</summary>
    public int MaxEntries { get; init; } = 1_000_000;

    /// <summary>The most numbers of an array, of 8 bytes each.</summary>
    public long MaxArrayLength { get; init; } = 10_000_000;

    /// <summary>The most characters of a dict's key.</summary>
    public int MaxKeyLength { get; init; } = 1_024;

    /// <summary>The most bytes of one object: keys and values.</summary>
    public long MaxObjectBytes { get; init; } = 256L << 20;

    /// <summary>The most bytes of all objects.</summary>
    public long MaxTotalBytes { get; init; } = 4L << 30;

    /// <summary>The longest time to live of a dict's entry.</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromDays(365);

    /// <summary>How many changes of one object are kept, for watches that resume.</summary>
    public int HistoryChanges { get; init; } = 10_000;

    /// <summary>The most bytes of kept changes of all objects; beyond that an object that changes keeps only its last.</summary>
    public long MaxHistoryBytes { get; init; } = 256L << 20;

    /// <summary>Edits parts of values; null refuses such edits.</summary>
    public IValueEditor? ValueEditor { get; init; }
}
