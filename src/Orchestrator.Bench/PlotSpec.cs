namespace Orchestrator.Bench;

/// <summary>
/// A plot as data: what the command hands to <c>orchestrator-bench</c> as JSON. Positions are where to draw; for a logarithmic axis the
/// command gives logarithms as positions.
/// </summary>
/// <param name="X">The horizontal axis.</param>
/// <param name="Y">The vertical axis.</param>
/// <param name="Series">The lines.</param>
internal sealed record PlotSpec(PlotAxis X, PlotAxis Y, IReadOnlyList<PlotSeries> Series);

/// <summary>An axis of a plot.</summary>
/// <param name="Label">What it shows.</param>
/// <param name="Ticks">Its ticks; null lets the renderer choose.</param>
/// <param name="From">Where it begins; null lets the renderer choose.</param>
/// <param name="To">Where it ends; null lets the renderer choose.</param>
internal sealed record PlotAxis(string Label, IReadOnlyList<PlotTick>? Ticks = null, double? From = null, double? To = null);

/// <summary>A tick of an axis.</summary>
/// <param name="Position">Where it is.</param>
/// <param name="Label">Its text.</param>
internal sealed record PlotTick(double Position, string Label);

/// <summary>A line of a plot, with a marker at each point.</summary>
/// <param name="Name">Its name in the legend.</param>
/// <param name="Color">Its color, such as #0072B2.</param>
/// <param name="X">The points' horizontal positions.</param>
/// <param name="Y">The points' vertical positions.</param>
internal sealed record PlotSeries(string Name, string Color, IReadOnlyList<double> X, IReadOnlyList<double> Y);
