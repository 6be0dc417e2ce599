using Orchestrator.Cli.Bench.Scale;

namespace Orchestrator.Cli.Tests.Bench;

/// <summary>Which steps are cliffs, and what is drawn of the costs.</summary>
public sealed class ScaleTests
{
    private static readonly ScaleAxis s_axis = ScaleAxis.All[0];

    [Theory]
    [InlineData("flat", new[] { 10.0, 11, 9, 10 }, new bool[] { false, false, false, false })]
    [InlineData("twice is not yet one", new[] { 10.0, 20 }, new bool[] { false, false })]
    [InlineData("a sudden step", new[] { 10.0, 10, 25, 25 }, new bool[] { false, false, true, false })]
    [InlineData("the step below explains it", new[] { 10.0, 30, 90, 270 }, new bool[] { false, true, false, false })]
    [InlineData("steeper than the step below", new[] { 10.0, 15, 50, 50 }, new bool[] { false, false, true, false })]
    [InlineData("a step down explains nothing", new[] { 100.0, 10, 25 }, new bool[] { false, false, true })]
    public void A_step_of_more_than_twice_the_step_below_is_a_cliff(string what, double[] costs, bool[] cliffs)
    {
        var cells = ScaleResult.WithSteps(Cells("an operation", costs));
        Assert.True(cliffs.SequenceEqual(cells.Select(cell => cell.IsCliff)), what);
        Assert.Null(cells[0].Step);
        Assert.All(cells.Zip(cells.Skip(1)), pair => Assert.Equal(pair.Second.Cost / pair.First.Cost, pair.Second.Step));
    }

    [Fact]
    public void Each_operation_has_steps_of_its_own()
    {
        var cells = ScaleResult.WithSteps([.. Cells("cheap", [1, 1]), .. Cells("dear", [100, 100])]);
        Assert.DoesNotContain(cells, cell => cell.IsCliff);
        Assert.Equal([null, 1, null, 1], cells.Select(cell => cell.Step));
    }

    [Theory]
    [InlineData(new[] { 15.0, 1 }, 15, 1)]
    [InlineData(new[] { 90.0, 12, 1 }, 12, 2)]
    [InlineData(new[] { 90.0, 70, 80, 1 }, 70, 3)]
    public async Task What_looks_like_a_cliff_is_measured_again(double[] costs, double expected, int times)
    {
        var measured = new Queue<ScaleCell>(Cells("an operation", costs));
        var cell = await ScaleBench.MeasureSurelyAsync(() => Task.FromResult(measured.Dequeue()), Cells("an operation", [10]).Single());
        Assert.Equal(expected, cell.Cost);
        Assert.Equal(times, costs.Length - measured.Count);
    }

    [Fact]
    public void A_plot_has_a_line_for_each_operation_on_logarithmic_scales()
    {
        var plot = ScaleReport.Plot(s_axis, [.. Cells("cheap", [1, 10]), .. Cells("dear", [100, 1_000])]);
        Assert.Equal(["cheap", "dear"], plot.Series.Select(series => series.Name));
        Assert.Equal([3, 4], plot.Series[0].X);
        Assert.Equal([2, 3], plot.Series[1].Y);
        Assert.Equal(["1,000", "10,000"], plot.X.Ticks!.Select(tick => tick.Label));
        Assert.Equal(["1", "10", "100", "1,000"], plot.Y.Ticks!.Select(tick => tick.Label));
    }

    private static IEnumerable<ScaleCell> Cells(string operation, double[] costs) =>
        costs.Select((cost, i) => new ScaleCell(s_axis, s_axis.Sizes[i], operation, cost, cost / 2));
}
