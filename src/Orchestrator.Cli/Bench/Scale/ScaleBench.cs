using System.Globalization;
using Grpc.Core;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Bench.Scale;

/// <summary>What to measure.</summary>
/// <param name="Axes">What grows.</param>
/// <param name="To">The largest size.</param>
/// <param name="Duration">How long each operation is repeated at each size.</param>
internal sealed record ScaleSettings(IReadOnlyList<ScaleAxis> Axes, int To, TimeSpan Duration);

/// <summary>
/// Measures what an operation costs while something else grows: <c>orchestrator bench scale</c>. Each axis has a coordinator of its own.
/// </summary>
internal sealed class ScaleBench(ScaleSettings settings, Terminal terminal)
{
    // The middle of so many parts is free of a pause in one of them.
    private const int Parts = 5;

    // On a busy machine one measurement in some is far too high; a cliff is so each time.
    private const int MostTries = 3;

    public async Task<IReadOnlyList<ScaleCell>> RunAsync(CancellationToken token)
    {
        var cells = new List<ScaleCell>();
        foreach (var axis in settings.Axes)
        {
            await using var coordinator = await ScaleCoordinator.StartAsync(token);
            await using var client = await coordinator.ConnectAsync(token);
            try
            {
                await using var load = await axis.CreateAsync(new ScaleRun(coordinator, client, token));
                foreach (var (index, size) in SizesOf(axis).Index())
                {
                    await load.GrowAsync(size);
                    if (index == 0)
                        await WarmUpAsync(load);
                    foreach (var operation in load.Operations)
                    {
                        var before = cells.FindLast(cell => cell.Axis == axis && cell.Operation == operation.Name);
                        cells.Add(await MeasureSurelyAsync(() => MeasureAsync(axis, size, operation, coordinator), before));
                    }

                    terminal.Note($"{Format.Count(size)} {axis.What}: {Costs(cells.TakeLast(load.Operations.Count))}");
                }
            }
            catch (RpcException exception)
            {
                throw client.Errors.Map(exception);
            }
        }

        return ScaleResult.WithSteps(cells);
    }

    public void Print(IReadOnlyList<ScaleCell> cells)
    {
        terminal.Line();
        foreach (var axis in settings.Axes)
        {
            terminal.WriteGrid(
                [
                    new(axis.What, true), new("operation"), new("µs each", true), new("coordinator's CPU µs", true), new("step", true),
                    new(""),
                ],
                cells.Where(cell => cell.Axis == axis).Select(cell => (string[])
                [
                    Format.Count(cell.Size),
                    cell.Operation,
                    Number(cell.Cost),
                    Number(cell.ProcessorCost),
                    cell.Step is { } step ? string.Create(CultureInfo.InvariantCulture, $"{step:0.00} ×") : "",
                    cell.IsCliff ? "CLIFF" : "",
                ]));
        }

        var cliffs = cells.Count(cell => cell.IsCliff);
        terminal.Line(cliffs == 0 ? "No cliff: no step is more than twice the one below it."
            : $"{Format.Counted(cliffs, "cliff")}: a step of more than twice the one below it.");
    }

    /// <summary>As a document.</summary>
    public static object ToJson(IReadOnlyList<ScaleCell> cells) => new
    {
        cells = cells.Select(cell => new
        {
            axis = cell.Axis.Key,
            size = cell.Size,
            operation = cell.Operation,
            microseconds = Math.Round(cell.Cost, 3),
            coordinator_cpu_microseconds = Math.Round(cell.ProcessorCost, 3),
            step = cell.Step is { } step ? Math.Round(step, 3) : (double?)null,
            cliff = cell.IsCliff,
        }),
    };

    // Compiles the hot paths of the processes: the costs at the smallest size are those at any other.
    private async Task WarmUpAsync(ScaleLoad load)
    {
        foreach (var operation in load.Operations)
            await operation.RunAsync(settings.Duration * 2);
    }

    private IEnumerable<int> SizesOf(ScaleAxis axis) => axis.Sizes.Where(size => size <= settings.To);

    /// <summary>Measures again what looks like a cliff, and takes the lowest.</summary>
    internal static async Task<ScaleCell> MeasureSurelyAsync(Func<Task<ScaleCell>> measure, ScaleCell? before)
    {
        var lowest = await measure();
        for (var i = 1; i < MostTries && ScaleResult.IsSteep(before, lowest); i++)
        {
            var next = await measure();
            lowest = next.Cost < lowest.Cost ? next : lowest;
        }

        return lowest;
    }

    private async Task<ScaleCell> MeasureAsync(ScaleAxis axis, int size, ScaleOperation operation, ScaleCoordinator coordinator)
    {
        // What the growth has left to do is done meanwhile, too.
        var part = settings.Duration / Parts;
        await operation.RunAsync(part);
        var (count, costs) = (0L, new List<double>());
        var before = coordinator.ProcessorTime;
        for (var i = 0; i < Parts; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            var done = await operation.RunAsync(part);
            costs.Add(TimeProvider.System.GetElapsedTime(start).TotalMicroseconds / done);
            count += done;
        }

        costs.Sort();
        return new ScaleCell(
            axis, size, operation.Name, costs[Parts / 2], (coordinator.ProcessorTime - before).TotalMicroseconds / count);
    }

    private static string Costs(IEnumerable<ScaleCell> cells) =>
        string.Join(", ", cells.Select(cell => $"{cell.Operation} {Number(cell.Cost)} µs"));

    private static string Number(double microseconds) =>
        microseconds.ToString(microseconds < 10 ? "0.00" : microseconds < 100 ? "0.0" : "N0", CultureInfo.InvariantCulture);
}
