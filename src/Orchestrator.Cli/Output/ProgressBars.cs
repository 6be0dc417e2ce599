using Spectre.Console;

namespace Orchestrator.Cli.Output;

/// <summary>The style of this command's progress bars.</summary>
internal static class ProgressBars
{
    public static Progress Create(BarConsole console) => new Progress(console.Console)
        .AutoClear(true)
        .HideCompleted(false)
        .Columns(
            new TaskDescriptionColumn { Alignment = Justify.Left },
            new ProgressBarColumn { Width = 40 },
            new PercentageColumn(),
            new RemainingTimeColumn());
}
