using System.CommandLine;
using Orchestrator.Cli.Bench.Compare;
using Orchestrator.Cli.Bench.Pool;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator bench compare</c></summary>
internal static class CompareCommand
{
    private static readonly Option<string[]> Workloads = new Option<string[]>("--workload")
    {
        Description = "Which tasks: cpu, io, mixed; all of them unless given.",
        HelpName = "cpu|io|mixed",
        AllowMultipleArgumentsPerToken = true,
    }.AcceptOnlyFromAmong("cpu", "io", "mixed");

    private static readonly OptionTime[] UsualTimes =
        [.. new[] { 1, 10, 100, 1_000, 10_000, 100_000 }.Select(us => new OptionTime(TimeSpan.FromMicroseconds(us)))];

    private static readonly Option<OptionTime[]> TaskTimes = DurationOption.Many(
        "--task-time",
        $"How long a task takes, once for each time; {string.Join(' ', UsualTimes)} by default. Tasks that wait take those from 1ms.");

    private static readonly Option<int> Rounds = BenchOptions.Rounds(3);

    private static readonly Option<OptionTime?> Length = DurationOption.Option(
        "--duration", "The length of a round of each way and task time, at least.", TimeSpan.FromMilliseconds(250));

    private static readonly Option<bool> Memory =
        new("--memory") { Description = "Also measure the memory and start time of threads, coroutines and processes." };

    private static readonly Option<bool> SpeedUp =
        new("--speed-up") { Description = "Also measure with 1, 2, … workers; changes their number meanwhile." };

    private static readonly Option<string?> Report = BenchOptions.Report("; measures memory and speed-up too");

    public static Command Create() =>
        new Command(
            "compare",
            "Runs the same tasks sequentially, on threads, asynchronously, in process and across processes, and reports the task size " +
            "from which processes pay off.")
        {
            Workloads, TaskTimes, Rounds, Length, Memory, SpeedUp, Report,
        }
            .Examples(
                "orchestrator bench compare",
                "orchestrator bench compare --workload cpu --task-time 1us 10us 100us --rounds 5",
                "orchestrator bench compare --memory --report compare.html")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var settings = Settings(context);
        await using var client = await context.ConnectAsync(token);
        CompareResult? result = null;
        var exit = await BenchPool.RunAsync(
            client, async pool => result = await new CompareBench(settings, client, pool, context.Terminal).RunAsync(token), token);
        token.ThrowIfCancellationRequested();
        if (result is null)
            return exit;
        if (settings.Json)
            context.Terminal.WriteJson(result.ToJson());
        else
            CompareTable.Write(context.Terminal, result);
        if (settings.Report is { } file)
        {
            await File.WriteAllTextAsync(file, await CompareReport.CreateAsync(result, token), token);
            context.Terminal.Note($"{file} is written");
        }

        if (result.Cells.FirstOrDefault(cell => cell.Figure.Failed > 0) is not { } failed)
            return ExitCode.Ok;
        context.Terminal.Error($"{failed.Mode.Name}: tasks failed; the first: {failed.Figure.FirstError}");
        return ExitCode.TaskFailed;
    }

    private static CompareSettings Settings(CommandContext context)
    {
        var given = context.Get(TaskTimes) ?? [];
        var sizes = (given.Length > 0 ? given : UsualTimes).Select(time => time.Value).ToArray();
        if (sizes.Any(size => size <= TimeSpan.Zero))
            throw new UsageException("--task-time must be longer than 0.");
        var report = context.Get(Report);
        if (report is not null && Path.GetDirectoryName(Path.GetFullPath(report)) is { } folder && !Directory.Exists(folder))
            throw new UsageException($"--report '{report}': there is no folder {folder}.");
        // Not only after minutes of measuring.
        if (report is not null)
            _ = PlotProgram.Find();
        var settings = new CompareSettings
        {
            Kinds = context.Get(Workloads) is { Length: > 0 } kinds ? [.. kinds.Select(kind => Enum.Parse<CompareWorkload>(kind,
                ignoreCase: true)).Distinct()] : [CompareWorkload.Cpu, CompareWorkload.Io, CompareWorkload.Mixed],
            Sizes = [.. sizes.Distinct().Order()],
            Rounds = context.Get(Rounds),
            Duration = context.Get(Length) ?? TimeSpan.FromMilliseconds(250),
            Memory = context.Get(Memory) || report is not null,
            SpeedUp = context.Get(SpeedUp) || report is not null,
            Report = report,
            Json = context.Terminal.IsJson,
        };
        if (settings.Rounds < 1 || settings.Duration <= TimeSpan.Zero)
            throw new UsageException("--rounds must be at least 1 and --duration longer than 0.");
        if (!settings.Kinds.Contains(CompareWorkload.Cpu) && settings.Sizes[^1] < TimeSpan.FromMilliseconds(1))
            throw new UsageException("Tasks that wait need a --task-time of at least 1ms: no timer is finer.");
        return settings;
    }
}
