using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary>Options that several benches have.</summary>
internal static class BenchOptions
{
    private const int LargestPayload = 64_000_000;

    public static readonly Option<bool> Baseline = new("--baseline")
    {
        Description = "Measure bare gRPC in the same run too, and print each figure as a ratio to it.",
    };

    public static readonly Option<bool> Check =
        new("--check") { Description = "Exit with 4 if a ratio to the baseline, or the bound of an overload, misses its target." };

    public static readonly Option<double?> MinRate =
        new("--min-rate") { Description = "Exit with 4 if a figure is below this many per second.", HelpName = "PER-SECOND" };

    public static readonly Option<double?> MinRatio = new("--min-ratio")
    {
        Description = "Exit with 4 if a figure reaches less than this fraction of what it is compared with: its baseline, or the stream.",
        HelpName = "RATIO",
    };

    public static readonly Option<OptionTime?> MaxP99 = DurationOption.Option(
        "--max-p99", "Exit with 4 if a figure's 99th percentile is above this, or has too few samples.");

    public static Option<int> Rounds(int usual) =>
        new("--rounds") { Description = "Rounds; the figures are their medians.", HelpName = "N", DefaultValueFactory = _ => usual };

    public static Option<OptionSize?> Size(string what) => ByteSizeOption.Option("--size", $"The size of {what}.", () => 64);

    /// <param name="also">What else it does.</param>
    public static Option<string?> Report(string also = "") =>
        new("--report") { Description = $"Write a page with plots{also}.", HelpName = "FILE" };

    /// <summary>The value of <c>--size</c>.</summary>
    /// <exception cref="UsageException">It is less than the smallest, or no payload can be as large.</exception>
    public static int ReadSize(OptionSize? size, int least) => size is { Bytes: var bytes } && bytes >= least && bytes <= LargestPayload
        ? (int)bytes : throw new UsageException($"--size must be between {least} and {LargestPayload} bytes.");
}
