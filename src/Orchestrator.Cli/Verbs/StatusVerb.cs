using System.CommandLine;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Verbs;

/// <summary><c>orchestrator status</c></summary>
internal static class StatusVerb
{
    public static Command Create() =>
        new Command("status", "Shows the coordinator, its workers, and its counts of tasks, sessions and queued items.")
            .Examples("orchestrator status", "orchestrator status -o json | jq .tasks")
            .Does(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var status = await client.GetStatusAsync(token);
                if (context.Terminal.IsJson)
                    context.WriteJson(status);
                else
                    Print(context.Terminal, client.Address, status);
                return ExitCode.Ok;
            });

    private static void Print(Terminal terminal, Uri address, ServiceStatus status)
    {
        var coordinator = status.Coordinator ?? new ProcessInfo();
        terminal.Line($"Coordinator {status.Version} at {Describe.Address(address)}, pid {coordinator.Pid}" +
                      (status.Draining ? ", draining" : ""));
        terminal.Line($"  {coordinator.CpuPercent:0.0} % CPU, {Describe.Bytes(coordinator.RssBytes)}, " +
                      $"{coordinator.Threads} threads, {status.Streams} streams open");
        terminal.Line($"Objects: {Describe.Objects(status)}");
        if (status.Tasks is { } tasks)
        {
            terminal.Line($"Tasks: {Describe.Count(tasks.Queued)} queued, {Describe.Count(tasks.Running)} running, " +
                          $"{Describe.Count(tasks.Succeeded)} succeeded, {Describe.Count(tasks.Failed)} failed, " +
                          $"{Describe.Count(tasks.Cancelled)} cancelled, {Describe.Count(tasks.TimedOut)} timed out, " +
                          $"{Describe.Count(tasks.WorkerLost)} lost with a worker; {Describe.Rate(tasks.PerSecond)}/s now");
        }

        WorkersVerb.Print(terminal, status.Workers);
        foreach (var note in WorkerNotes.Of(status))
            terminal.Line(note);
        var used = status.Handlers.Where(handler => handler.Counts is not null).ToArray();
        if (used.Length == 0)
            return;
        terminal.WriteTable(
            [
                new("handler"), new("queued", true), new("running", true), new("succeeded", true), new("failed", true),
                new("run p50", true), new("run p99", true), new("latency p50", true), new("latency p99", true),
            ],
            used.Select(handler => (string[])
            [
                handler.Handler,
                Describe.Count(handler.Counts.Queued),
                Describe.Count(handler.Counts.Running),
                Describe.Count(handler.Counts.Succeeded),
                Describe.Count(handler.Counts.Failed),
                Describe.Time(handler.RunP50),
                Describe.Time(handler.RunP99),
                Describe.Time(handler.LatencyP50),
                Describe.Time(handler.LatencyP99),
            ]));
    }
}
