using Orchestrator.Cli.Bench.Load;

namespace Orchestrator.Cli.Bench.Objects;

/// <summary>What a figure is compared with: the same traffic on bare gRPC over loopback TCP, in the same run.</summary>
internal enum Yardstick
{
    /// <summary>One message there and one back on an open stream.</summary>
    PingPong,

    /// <summary>Two of them, one after the other.</summary>
    TwoPingPongs,

    /// <summary>Two unary calls, one after the other.</summary>
    TwoCalls,

    /// <summary>A stream with as many items in flight, and as many of them in a message.</summary>
    Stream,
}

/// <summary>One thing that the bench of shared objects measures.</summary>
/// <param name="Key">The short name for <c>--only</c>.</param>
/// <param name="Name">The name in tables.</param>
/// <param name="Create">Makes its shape of load.</param>
/// <param name="Bare">What it is compared with.</param>
internal sealed record ObjectFigure(string Key, string Name, Func<ObjectBenchRun, ILoadShape> Create, Yardstick Bare)
{
    /// <summary>The number of the target, where it has one.</summary>
    public string Target { get; init; } = "";

    /// <summary>The ratio that is asked for: at least for rates, at most for latencies.</summary>
    public double? Limit { get; init; }

    /// <summary>Bytes of one item, where they are not those that were asked for.</summary>
    public int? ItemBytes { get; init; }

    /// <summary>Items in flight of the baseline, where they are not those that were asked for.</summary>
    public int? InFlight { get; init; }

    /// <summary>Only measured where it is named: it needs more processes than the others.</summary>
    public bool OnlyWhenNamed { get; init; }

    /// <summary>Compared by throughput; otherwise by the median latency.</summary>
    public bool IsRate => Bare == Yardstick.Stream;
}
