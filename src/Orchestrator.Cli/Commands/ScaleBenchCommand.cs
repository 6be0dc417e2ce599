using System.CommandLine;
using Orchestrator.Cli.Bench.Compare;
using Orchestrator.Cli.Bench.Scale;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench scale</c></summary>
internal static class ScaleBenchCommand
{
    private const int Largest = 1_000_000;

    private static readonly Option<string[]> Only = new("--only")
    {
        Description = "Measure these figures only, by their keys.",
        HelpName = "KEY",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int> To = new("--to")
    {
        Description = "Measure up to this size only.",
        HelpName = "N",
        DefaultValueFactory = _ => Largest,
    };

    private static readonly Option<OptionTime?> Length = DurationOption.Option(
        "--duration", "The length of the measurement of each operation at each size.", TimeSpan.FromMilliseconds(500));

    private static readonly Option<string?> Report = BenchOptions.Report();

    public static Command Create() =>
        new Command(
            "scale",
            "Measures what an operation costs, and how much of the coordinator's processor time, while something grows, and marks " +
            "cliffs. It starts coordinators of its own. " +
            $"Figures: {string.Join("; ", ScaleAxis.All.Select(axis => $"{axis.Key} ({axis.What})"))}.")
        {
            Only, To, Length, Report,
        }
            .Examples(
                "orchestrator bench scale --only tasks,objects --to 1000",
                "orchestrator bench scale --report scale.html",
                "orchestrator bench scale --only clients --duration 2s -o json")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var report = context.Get(Report);
        if (report is not null && Path.GetDirectoryName(Path.GetFullPath(report)) is { } folder && !Directory.Exists(folder))
            throw new UsageException($"--report '{report}': there is no folder {folder}.");
        // Not only after minutes of measuring.
        if (report is not null)
            _ = PlotProgram.Find();
        var bench = new ScaleBench(Settings(context), context.Terminal);
        var cells = await bench.RunAsync(token);
        if (context.Terminal.IsJson)
            context.Terminal.WriteJson(ScaleBench.ToJson(cells));
        else
            bench.Print(cells);
        if (report is not null)
        {
            await File.WriteAllTextAsync(report, await ScaleReport.CreateAsync(cells, token), token);
            context.Terminal.Note($"{report} is written");
        }

        return ExitCode.Ok;
    }

    private static ScaleSettings Settings(CommandContext context)
    {
        string[] keys = [.. (context.Get(Only) ?? []).SelectMany(keys => keys.Split(',', StringSplitOptions.RemoveEmptyEntries))];
        if (keys.FirstOrDefault(key => ScaleAxis.All.All(axis => axis.Key != key)) is { } unknown)
        {
            throw new UsageException(
                $"--only {unknown}: there is no such key, but {string.Join(", ", ScaleAxis.All.Select(axis => axis.Key))}.");
        }

        var settings = new ScaleSettings(
            [.. ScaleAxis.All.Where(axis => keys.Length == 0 || keys.Contains(axis.Key))], context.Get(To),
            context.Get(Length) ?? TimeSpan.FromMilliseconds(500));
        if (settings.Duration <= TimeSpan.Zero)
            throw new UsageException("--duration must be longer than 0.");
        if (settings.Axes.FirstOrDefault(axis => axis.Sizes[0] > settings.To) is { } small)
            throw new UsageException($"--to {settings.To}: {small.What} begin at {small.Sizes[0]}.");
        return settings;
    }
}
