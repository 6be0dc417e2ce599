using Orchestrator.Cli.Bench.Load;
using Orchestrator.V1;

namespace Orchestrator.Cli.Bench;

/// <summary>The settings of <c>orchestrator bench tasks</c>.</summary>
internal sealed record TaskBenchSettings
{
    public required string Handler { get; init; }

    public required Payload Input { get; init; }

    /// <summary>The size of the input in bytes, for the bare baseline to carry the same.</summary>
    public required int Size { get; init; }

    public TaskOptions? Options { get; init; }

    public required bool Unary { get; init; }

    public required int Clients { get; init; }

    public required int InFlight { get; init; }

    /// <summary>Arrivals per second; 0 is a closed loop.</summary>
    public required double Rate { get; init; }

    public required int Rounds { get; init; }

    public required RoundPlan Plan { get; init; }

    /// <summary>No warm-up.</summary>
    public required bool Cold { get; init; }

    public required bool Json { get; init; }

    /// <summary>Exit with 4 below this many tasks per second.</summary>
    public double? MinRate { get; init; }

    /// <summary>Exit with 4 above this 99th percentile.</summary>
    public TimeSpan? MaxP99 { get; init; }

    /// <summary>With the baseline: exit with 4 when a ratio misses its target.</summary>
    public bool Check { get; init; }

    public TaskLoad Load => new(Handler, Input, Options);

    public string Describe() =>
        $"{(Unary ? "RunTask" : "StreamTasks")}, {Handler}, {Output.Format.Count(Size)} B, " +
        (Rate > 0
            ? $"open loop at {Output.Format.Rate(Rate)}/s, {Clients} client{(Clients == 1 ? "" : "s")}"
            : $"closed loop with {Output.Format.Count(InFlight)} in flight" + (Clients == 1 ? "" : $" on each of {Clients} clients"));
}
