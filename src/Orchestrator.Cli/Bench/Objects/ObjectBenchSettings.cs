using Orchestrator.Cli.Bench.Load;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>The settings of <c>orchestrator bench queue|pipe|state|lock</c>.</summary>
internal sealed record ObjectBenchSettings
{
    /// <summary>Bytes of an item, a message or a value.</summary>
    public required int Size { get; init; }

    /// <summary>Operations, or items, in flight where pipelined.</summary>
    public required int InFlight { get; init; }

    public required int Rounds { get; init; }

    public required RoundPlan Plan { get; init; }

    public required bool Baseline { get; init; }

    /// <summary>The keys of the figures to measure; empty is all.</summary>
    public required IReadOnlyList<string> Only { get; init; }

    public required bool Json { get; init; }

    /// <summary>Exit with 4 if a figure's 99th percentile is above this.</summary>
    public TimeSpan? MaxP99 { get; init; }

    /// <summary>Exit with 4 if a figure has fewer per second.</summary>
    public double? MinRate { get; init; }

    /// <summary>
    /// With the baseline: exit with 4 if a figure reaches less than this fraction of its baseline's throughput, or takes longer than the
    /// baseline's median divided by this.
    /// </summary>
    public double? MinRatio { get; init; }

    /// <summary>With the baseline: exit with 4 if a ratio misses its target.</summary>
    public bool Check { get; init; }
}
