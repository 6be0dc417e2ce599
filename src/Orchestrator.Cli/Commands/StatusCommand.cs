using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator status</c></summary>
internal static class StatusCommand
{
    public static Command Create() =>
        new Command("status", "Shows the coordinator, its workers, and its counts of tasks, sessions and queued items.")
            .Examples("orchestrator status", "orchestrator status -o json | jq .tasks")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var status = await client.Contract.GetStatusAsync(token);
                if (context.Terminal.IsJson)
                    context.WriteJson(status);
                else
                    Print(context.Terminal, client.Address, status);
                return ExitCode.Ok;
            });

    private static void Print(Terminal terminal, Uri address, ServiceStatus status)
    {
        var coordinator = status.Coordinator ?? new ProcessInfo();
        terminal.Line($"Coordinator {status.Version} at {Format.Address(address)}, pid {coordinator.Pid}" +
                      (status.Draining ? ", draining" : ""));
        terminal.Line($"  {coordinator.CpuPercent:0.0} % CPU, {Format.Bytes(coordinator.RssBytes)}, " +
                      $"{coordinator.Threads} threads, {status.Streams} streams open");
        terminal.Line($"Objects: {Format.Objects(status)}");
        if (status.Tasks is { } tasks)
        {
            terminal.Line($"Tasks: {Format.Count(tasks.Queued)} queued, {Format.Count(tasks.Running)} running, " +
                          $"{Format.Count(tasks.Succeeded)} succeeded, {Format.Count(tasks.Failed)} failed, " +
                          $"{Format.Count(tasks.Cancelled)} cancelled, {Format.Count(tasks.TimedOut)} timed out, " +
                          $"{Format.Count(tasks.WorkerLost)} lost with a worker; {Format.Rate(tasks.PerSecond)}/s now");
        }

        WorkersCommand.Print(terminal, status.Workers);
        foreach (var note in WorkerNotes.Of(status))
            terminal.Line(note);
        var used = status.Handlers.Where(handler => handler.Counts is not null).ToArray();
        if (used.Length == 0)
            return;
        terminal.WriteTable(
            [
                new("handler"), new("queued", true), new("running", true), new("succeeded", true), new("failed", true),
                .. WindowColumns.Columns,
            ],
            used.Select(handler => (string[])
            [
                handler.Handler,
                Format.Count(handler.Counts.Queued),
                Format.Count(handler.Counts.Running),
                Format.Count(handler.Counts.Succeeded),
                Format.Count(handler.Counts.Failed),
                .. WindowColumns.Cells(status, handler.Handler),
            ]));
        terminal.Line("Counts since the start; rates and times of the last 10 s.");
    }
}
