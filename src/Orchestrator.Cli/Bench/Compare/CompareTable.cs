using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>Prints a comparison to a terminal.</summary>
internal static class CompareTable
{
    public static string Title(CompareWorkload kind) => kind switch
    {
        CompareWorkload.Cpu => "CPU-bound tasks",
        CompareWorkload.Io => "IO-bound tasks",
        _ => "the mix: one that computes, one that waits, in turn",
    };

    public static void Write(Terminal terminal, CompareResult result)
    {
        terminal.Line(result.Machine);
        foreach (var kind in result.Cells.Select(cell => cell.Kind).Distinct())
        {
            var sizes = result.Sizes(kind).ToArray();
            terminal.Line();
            terminal.Line($"{Title(kind)}, tasks per second by the size of a task:");
            terminal.WriteGrid(
                [new("run"), .. sizes.Select(size => new Column(Format.Time(size), true)), new("where")],
                CompareMode.All.Select(mode => (string[])
                [
                    mode.Name,
                    .. sizes.Select(size => Show(result, mode, kind, size)),
                    mode.Where,
                ]));
        }

        terminal.Line("In brackets: as a multiple of the sequential program.");
        WriteBreakEvens(terminal, result);
        foreach (var point in result.SpeedUps)
            terminal.Line(FormattableString.Invariant(
                $"{point.Workers} worker{(point.Workers == 1 ? "" : "s")}: {point.Factor:0.00} × one sequential program"));
        if (result.Costs.Count > 0)
        {
            terminal.WriteGrid(
                [new("what it costs"), new("memory", true), new("time", true), new("measured")],
                result.Costs.Select(cost => (string[])[cost.What, Memory(cost), Format.Time(cost.Start), cost.Note]));
        }
    }

    public static string Memory(Cost cost) => cost.Memory is { } bytes ? Format.Bytes((ulong)Math.Max(0, bytes)) : "";

    /// <summary>A break-even point in words.</summary>
    public static string From(TimeSpan? breakEven, CompareResult result)
    {
        var sizes = result.Sizes(CompareWorkload.Cpu).ToArray();
        return breakEven switch
        {
            null => $"not up to {Format.Time(sizes[^1])}",
            { } size when size == TimeSpan.Zero => $"from {Format.Time(sizes[0])}, the smallest measured",
            { } size => $"from {Format.Time(size)}",
        };
    }

    private static void WriteBreakEvens(Terminal terminal, CompareResult result)
    {
        if (!result.Sizes(CompareWorkload.Cpu).Any())
            return;
        terminal.Line();
        terminal.Line("Break-even, the size of a computing task from which processes pay:");
        foreach (var line in result.BreakEvens())
            terminal.Line($"  {line.Mode.Name}, {line.Against}: {From(line.Size, result)}");
        terminal.Line();
    }

    private static string Show(CompareResult result, CompareMode mode, CompareWorkload kind, TimeSpan size)
    {
        if (result.Cell(mode, kind, size) is not { } cell)
            return "";
        var ratio = cell.Figure.RateRatio(result.Cell(CompareMode.Sequential, kind, size)!.Figure);
        return $"{Format.Rate(cell.Figure.PerSecond)} ({Format.Number(ratio)})";
    }
}
