using Orchestrator.Cli.Bench.Load;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>A figure's baseline: the same traffic on bare gRPC over loopback TCP, in the same run.</summary>
internal enum Yardstick
{
    /// <summary>One round trip on an open stream.</summary>
    PingPong,

    /// <summary>Two round trips in sequence.</summary>
    TwoPingPongs,

    /// <summary>Two unary calls in sequence.</summary>
    TwoCalls,

    /// <summary>A stream with the same number of items in flight and per message.</summary>
    Stream,
}

/// <summary>One figure of the shared-object bench.</summary>
/// <param name="Key">The short name for <c>--only</c>.</param>
/// <param name="Name">The name in tables.</param>
/// <param name="Create">Creates its load.</param>
/// <param name="Bare">Its baseline.</param>
internal sealed record ObjectFigure(string Key, string Name, Func<ObjectBenchRun, ILoadShape> Create, Yardstick Bare)
{
    /// <summary>The number of the target, if it has one.</summary>
    public string Target { get; init; } = "";

    /// <summary>The required ratio: a minimum for rates, a maximum for latencies.</summary>
    public double? Limit { get; init; }

    /// <summary>Bytes of one item, if not those of the settings.</summary>
    public int? ItemBytes { get; init; }

    /// <summary>Items in flight of the baseline, if not those of the settings.</summary>
    public int? InFlight { get; init; }

    /// <summary>Only measured if named: it needs more processes than the others.</summary>
    public bool OnlyWhenNamed { get; init; }

    /// <summary>Compared by throughput; otherwise by the median latency.</summary>
    public bool IsRate => Bare == Yardstick.Stream;
}
