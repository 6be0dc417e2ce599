using Orchestrator.Cli.Bench.Report;

namespace Orchestrator.Cli.Bench.Compare;

/// <summary>The speed of one way of running tasks, for one kind and size.</summary>
internal sealed record CompareCell(CompareMode Mode, CompareWorkload Kind, TimeSpan Size, FigureSummary Figure);

/// <summary>The speed-up of some workers over one sequential program.</summary>
internal sealed record SpeedUp(int Workers, double Factor);

/// <summary>The cost of something before it does any work.</summary>
/// <param name="What">A description, for people to read.</param>
/// <param name="Memory">Bytes of resident memory each; null if not measured.</param>
/// <param name="Start">The time until it can work.</param>
/// <param name="Note">How it was measured.</param>
internal sealed record Cost(string What, double? Memory, TimeSpan? Start, string Note);

/// <summary>All measurements of a comparison.</summary>
internal sealed record CompareResult
{
    public required string Machine { get; init; }

    public required IReadOnlyList<CompareCell> Cells { get; init; }

    /// <summary>One task at a time, per way.</summary>
    public IReadOnlyList<CompareCell> OneAtATime { get; init; } = [];

    public IReadOnlyList<SpeedUp> SpeedUps { get; init; } = [];

    public IReadOnlyList<Cost> Costs { get; init; } = [];

    public IEnumerable<TimeSpan> Sizes(CompareWorkload kind) =>
        Cells.Where(cell => cell.Kind == kind).Select(cell => cell.Size).Distinct().Order();

    public CompareCell? Cell(CompareMode mode, CompareWorkload kind, TimeSpan size) =>
        Cells.FirstOrDefault(cell => cell.Mode == mode && cell.Kind == kind && cell.Size == size);

    /// <summary>The speed of one way as a multiple of another's, by size; the median of the ratios of each round.</summary>
    public IReadOnlyList<(TimeSpan Size, double Speed)> Speeds(CompareMode mode, CompareMode other, CompareWorkload kind) =>
    [
        .. from size in Sizes(kind)
           let mine = Cell(mode, kind, size)
           let its = Cell(other, kind, size)
           where mine is not null && its is not null
           select (size, mine.Figure.RateRatio(its.Figure)),
    ];

    /// <summary>The size from which sending a computing task to a worker process pays off.</summary>
    public IEnumerable<(CompareMode Mode, string Against, double Threshold, TimeSpan? Size)> BreakEvens()
    {
        foreach (var mode in CompareMode.AcrossProcesses)
        {
            yield return (mode, "as fast as one sequential program", 1, BreakEven.Find(
                Speeds(mode, CompareMode.Sequential, CompareWorkload.Cpu), 1));
            yield return (mode, "90 % of a thread per core in one program", 0.9, BreakEven.Find(
                Speeds(mode, CompareMode.Threads, CompareWorkload.Cpu), 0.9));
        }
    }

    public object ToJson() => new
    {
        machine = Machine,
        cells = Cells.Select(ToJson),
        one_at_a_time = OneAtATime.Select(ToJson),
        break_even = BreakEvens().Select(line => new
        {
            mode = line.Mode.Name,
            against = line.Against,
            threshold = line.Threshold,
            task_seconds = line.Size?.TotalSeconds,
        }),
        speed_up = SpeedUps.Select(point => new { workers = point.Workers, factor = point.Factor }),
        costs = Costs.Select(
            cost => new { what = cost.What, memory_bytes = cost.Memory, start_seconds = cost.Start?.TotalSeconds, note = cost.Note }),
    };

    private static object ToJson(CompareCell cell) => new
    {
        mode = cell.Mode.Name,
        kind = cell.Kind.ToString().ToLowerInvariant(),
        task_seconds = cell.Size.TotalSeconds,
        figure = cell.Figure.ToJson(),
    };
}
