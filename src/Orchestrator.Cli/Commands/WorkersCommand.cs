using System.CommandLine;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Output;
using Orchestrator.Protocol;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator workers</c></summary>
internal static class WorkersCommand
{
    public static Command Create() =>
        new Command("workers", "Lists the worker processes.")
            .Examples("orchestrator workers", "orchestrator workers -o json")
            .HandledBy(async (context, token) =>
            {
                await using var client = await context.ConnectAsync(token);
                var status = await client.Contract.GetStatusAsync(token);
                if (context.Terminal.IsJson)
                    context.WriteJson(status.Workers);
                else
                {
                    Print(context.Terminal, status.Workers);
                    foreach (var note in WorkerNotes.Of(status))
                        context.Terminal.Note(note);
                }

                return ExitCode.Ok;
            });

    // The notes below the table have the full text.
    private const int MostOfLastExit = 120;

    public static void Print(Terminal terminal, IReadOnlyCollection<WorkerInfo> workers)
    {
        PrintTable(terminal, workers);
        var runtimes = workers.Where(worker => worker.Runtime.Length > 0).CountBy(worker => worker.Runtime).ToArray();
        if (runtimes.Length > 0)
            terminal.Line($"Workers run on {string.Join("; ", runtimes.Select(runtime => $"{runtime.Key} ({runtime.Value})"))}.");
        foreach (var worker in workers.Where(worker => worker.LeftOutHandlers.Count > 0))
            terminal.Note($"{worker.Name}: left out, since a handler's name has {HandlerNames.Rule}: " +
                $"{string.Join(", ", worker.LeftOutHandlers.Select(name => $"'{name}'"))}");
    }

    private static void PrintTable(Terminal terminal, IReadOnlyCollection<WorkerInfo> workers) => terminal.WriteTable(
        [
            new("worker"), new("group"), new("state"), new("pid", true), new("core", true), new("running", true), new("ahead", true),
            new("completed", true), new("failed", true), new("restarts", true), new("CPU", true), new("memory", true), new("last exit"),
        ],
        workers.Select(worker => (string[])
        [
            $"{worker.Name}#{worker.Incarnation}",
            worker.Group,
            Format.Worker(worker.State),
            worker.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture),
            worker.Core < 0 ? "any" : worker.Core.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Format.Count(worker.RunningTasks),
            Format.Count(worker.PrefetchedTasks),
            Format.Count(worker.CompletedTasks),
            Format.Count(worker.FailedTasks),
            Format.Count(worker.Restarts),
            FormattableString.Invariant($"{worker.CpuPercent:0.0} %"),
            Format.Bytes(worker.RssBytes),
            Format.Cut(worker.LastExit, MostOfLastExit),
        ]));
}
