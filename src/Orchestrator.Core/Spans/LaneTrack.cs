namespace Orchestrator.Core.Spans;

/// <summary>What the log and the history keep open for one lane of one worker.</summary>
internal sealed class LaneTrack(int lane)
{
    /// <summary>The number of the lane.</summary>
    public int Lane => lane;

    /// <summary>The span to which brief attempts are still added, while <see cref="IsOpen"/>.</summary>
    public AttemptSpan Open { get; set; }

    public bool IsOpen { get; set; }

    /// <summary>Whether the log closes its span with those of the other lanes.</summary>
    public bool IsListed { get; set; }

    /// <summary>The bin of the history that is being filled.</summary>
    public LaneBin Bin { get; } = new();

    /// <summary>Whether that bin has sums that the history lacks.</summary>
    public bool IsBinPending { get; set; }
}
