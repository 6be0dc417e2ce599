using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Guide;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// <c>orchestrator guide</c>: topics of concurrency, each shown by a small program on a coordinator that the command starts.
/// </summary>
internal static class GuideCommand
{
    private static readonly Argument<string[]> Names = new("NAME")
    {
        Description = "Which rows to run; without one, they are listed.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> All =
        new("--all") { Description = "Run all of them; the exit code is 1 if a claim of one does not hold." };

    private static readonly Option<bool> Source = new("--source") { Description = "Print the source of the rows instead of running them." };

    public static Command Create() =>
        new Command(
            "guide", "Shows concurrency, topic by topic, on a coordinator and workers that it starts itself.") { Names, All, Source }
            .Examples("orchestrator guide", "orchestrator guide deadlock", "orchestrator guide lock rlock semaphore",
                "orchestrator guide deadlock --source", "orchestrator guide --all")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var terminal = context.Terminal;
        var names = context.Get(Names) ?? [];
        var all = context.Get(All);
        if (all && names.Length > 0)
            throw new UsageException("--all runs every row; name rows, or give --all, not both.");
        if (!all && names.Length == 0 && context.Get(Source))
            throw new UsageException("--source prints the source of rows: name one, or give --all.");
        if (!all && names.Length == 0)
        {
            List(terminal);
            return ExitCode.Ok;
        }

        var rows = all ? GuideRows.All : [.. names.Distinct().Select(Find)];
        if (context.Get(Source))
        {
            Print(terminal, rows);
            return ExitCode.Ok;
        }

        if (SelfCommand.IsNative)
        {
            throw new UsageException(
                "the rows read and write JSON by reflection, as most programs do, and this command is native code, which cannot: run " +
                "them by the command of the tool's package, or print them with --source.");
        }

        var (results, exit) = await new GuideRun(terminal, rows).RunAsync();
        token.ThrowIfCancellationRequested();
        if (terminal.IsJson)
            terminal.WriteJson(results.Select(ToJson));
        else if (rows.Count > 1)
            Summarize(terminal, results);
        return exit != 0 ? exit : results.Any(result => result.Failed) ? ExitCode.TaskFailed : ExitCode.Ok;
    }

    private static GuideRow Find(string name) => GuideRows.All.FirstOrDefault(row => row.Name == name)
        ?? throw new UsageException($"the guide has no row '{name}'; it has {string.Join(", ", GuideRows.All.Select(row => row.Name))}.");

    private static void List(Terminal terminal)
    {
        if (terminal.IsJson)
            terminal.WriteJson(GuideRows.All.Select(row => new { name = row.Name, section = row.Section, title = row.Title }));
        else
            terminal.WriteTable(
                [new("name"), new("§"), new("shows")], GuideRows.All.Select(row => (string[])[row.Name, row.Section, row.Title]));
    }

    private static void Print(Terminal terminal, IReadOnlyList<GuideRow> rows)
    {
        if (terminal.IsJson)
        {
            terminal.WriteJson(rows.Select(row => new { name = row.Name, file = row.File, source = row.ReadSource() }));
            return;
        }

        foreach (var row in rows)
        {
            if (rows.Count > 1)
                terminal.Line($"// {row.File}");
            terminal.Line(row.ReadSource().TrimEnd());
            if (rows.Count > 1)
                terminal.Line();
        }
    }

    private static void Summarize(Terminal terminal, IReadOnlyList<GuideResult> results)
    {
        terminal.Line($"{results.Count(result => result.Outcome == "shown")} shown, {results.Count(result => result.Failed)} failed, " +
                      $"{results.Count(result => result.Skipped is not null)} skipped");
        foreach (var result in results.Where(result => result.Outcome != "shown"))
            terminal.Line($"  {result.Row.Name} {result.Outcome}: " +
                $"{result.Skipped ?? string.Join("; ", result.Claims.Where(claim => !claim.Holds).Select(claim => claim.Text))}");
    }

    private static object ToJson(GuideResult result) => new
    {
        name = result.Row.Name,
        section = result.Row.Section,
        title = result.Row.Title,
        outcome = result.Outcome,
        reason = result.Skipped,
        seconds = Math.Round(result.Took.TotalSeconds, 3),
        claims = result.Claims.Select(claim => new { claim = claim.Text, holds = claim.Holds }),
        lines = result.Lines,
    };
}
