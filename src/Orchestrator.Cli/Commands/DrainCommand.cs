using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Options;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator drain</c></summary>
internal static class DrainCommand
{
    private static readonly Option<bool> Stop = new("--stop") { Description = "Stop the coordinator afterwards." };

    private static readonly Option<OptionTime?> Limit = DurationOption.Option(
        "--timeout", "How long to wait for running tasks; by default as long as the coordinator's own --drain-timeout.");

    public static Command Create() =>
        new Command("drain", "Takes no new work and waits for running tasks.") { Stop, Limit }
            .Examples("orchestrator drain", "orchestrator drain --stop --timeout 20s")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var unfinished = await client.DrainAsync(context.Get(Limit), context.Get(Stop), token);
                if (context.Terminal.IsJson)
                    context.Terminal.WriteJson(new { unfinished_tasks = unfinished });
                else
                    context.Terminal.Line(unfinished == 0 ? "drained" : $"{Format.Count(unfinished)} tasks are unfinished");
                return unfinished == 0 ? ExitCode.Ok : ExitCode.TaskFailed;
            });
}
