using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Doctor;
using Spectre.Console;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator doctor</c></summary>
internal static class DoctorCommand
{
    public static Command Create() =>
        new Command(
            "doctor",
            "Checks the requirements of a coordinator: limits, memory, ports, permissions, versions; and the running one. Exit code 1 if " +
            "a check fails.")
            .Examples("orchestrator doctor", "orchestrator doctor -o json | jq '.checks[] | select(.verdict != \"ok\")'")
            .HandledBy(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var directory = context.NamedDirectory();
        Check[] checks =
        [
            .. MachineChecks.Run(new Machine()),
            .. PlaceChecks.Run(directory),
            .. WorkerChecks.Run(),
            .. await CoordinatorChecks.RunAsync(context.ClientOptions(), directory, token),
        ];
        var failed = checks.Any(check => check.Verdict == Verdict.Fail);
        if (context.Terminal.IsJson)
        {
            context.Terminal.WriteJson(new
            {
                ok = !failed,
                checks = checks.Select(
                    check => new { name = check.Name, verdict = Word(check), finding = check.Finding, advice = check.Advice }),
            });
        }
        else
        {
            foreach (var check in checks)
                Print(context, check);
        }

        return failed ? ExitCode.TaskFailed : ExitCode.Ok;
    }

    private static void Print(CommandContext context, Check check)
    {
        var line = $"{check.Name,-15} {check.Finding}{(check.Advice.Length > 0 ? ": " : "")}{check.Advice}";
        if (context.Terminal.IsLive)
            context.Terminal.Out.MarkupLine($"[{Colour(check)}]{Word(check),-5}[/]{Markup.Escape(line)}");
        else
            context.Terminal.Line($"{Word(check),-5}{line}");
    }

    private static string Word(Check check) => check.Verdict switch
    {
        Verdict.Ok => "ok",
        Verdict.Warn => "warn",
        _ => "fail",
    };

    private static string Colour(Check check) => check.Verdict switch
    {
        Verdict.Ok => "green",
        Verdict.Warn => "yellow",
        _ => "red bold",
    };
}
