using System.CommandLine;
using System.Globalization;
using Google.Protobuf.Collections;
using Orchestrator.Client;
using Orchestrator.Cli.Common;
using Orchestrator.Cli.Demo;
using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Commands;

/// <summary><c>orchestrator demo</c>: the same tasks in process and across processes, compared.</summary>
internal static class DemoCommand
{
    private static readonly Option<bool> Kill = new("--kill-worker")
    {
        Description = "First kill a worker process of the coordinator in the middle of work, and show what becomes of the tasks.",
    };

    public static Command Create() =>
        new Command("demo", "Streams CPU-bound and IO-bound tasks to a running coordinator and compares where they ran.") { Kill }
            .Examples("scripts/demo", "orchestrator demo")
            .HandledBy(RunAsync);

    // As many as fit into a line of 100 columns.
    private static string Describe(RepeatedField<WorkerInfo> workers)
    {
        const int Shown = 3;
        var named = workers.Take(Shown)
            .Select(worker => $"{worker.Name} (process {worker.Pid.ToString(CultureInfo.InvariantCulture)})");
        return string.Join(", ", named) + (workers.Count > Shown ? $" and {workers.Count - Shown} more" : "");
    }

    private static async Task<int> RunAsync(CommandContext context, CancellationToken token)
    {
        var terminal = context.Terminal;
        await using var client = await context.ConnectAsync(token);
        var status = await client.Contract.GetStatusAsync(token);
        terminal.Line($"The coordinator at {Format.Address(client.Address)} is process {status.Coordinator?.Pid}; its workers are");
        terminal.Line($"{Describe(status.Workers)}.");
        terminal.Line($"This is process {Environment.ProcessId}, which streams tasks to it.");
        await WritePageAsync(client, terminal, token);
        var run = new DemoRun(client, token);
        try
        {
            terminal.Line($"Measuring how much work takes {Workload.TaskTime.TotalMilliseconds} ms here …");
            var samples = await run.CalibrateAsync();
            terminal.Line(
                $"A CPU-bound task throws {Format.Count(samples)} random points at a circle; an IO-bound one waits " +
                $"{Workload.TaskTime.TotalMilliseconds} ms.");
            var workloads = Workload.Create(samples);
            if (context.Get(Kill))
            {
                terminal.Line("");
                await new WorkerKill(client, terminal, token).RunAsync(workloads[0], status.Workers.Count);
                terminal.Line("");
            }

            var heats = terminal.ShowsProgress && !Console.IsOutputRedirected
                ? await WithBarsAsync(run, workloads)
                : await WithLinesAsync(terminal, run, workloads);
            DemoReport.Write(terminal, heats, status.Workers.Count);
            return ExitCode.Ok;
        }
        catch (DemoFailedException exception)
        {
            terminal.Error($"orchestrator: {exception.Message}");
            return ExitCode.TaskFailed;
        }
    }

    /// <summary>Where to watch; a code that logs in is for the person at the terminal, and not for a file.</summary>
    private static async Task WritePageAsync(OrchestratorClient client, Terminal terminal, CancellationToken token)
    {
        var login = await client.Contract.CreateLoginCodeAsync(token);
        if (login.Page.Length > 0)
            terminal.Line($"Watch it in a browser: {login.Page}{(Console.IsOutputRedirected ? "" : $"login#{login.Code}")}");
    }

    private static async Task<List<Heat>> WithLinesAsync(Terminal terminal, DemoRun run, Workload[] workloads)
    {
        var heats = new List<Heat>();
        terminal.Line($"Comparing {string.Join(", ", Contender.All.Select(contender => contender.Name))} …");
        foreach (var workload in workloads)
        {
            foreach (var contender in Contender.All)
                heats.Add(await run.RunAsync(workload, contender, null));
        }

        return heats;
    }

    private static async Task<List<Heat>> WithBarsAsync(DemoRun run, Workload[] workloads)
    {
        var heats = new List<Heat>();
        using var console = new BarConsole(Console.Out);
        await ProgressBars.Create(console).StartAsync(async bars =>
        {
            foreach (var workload in workloads)
            {
                foreach (var contender in Contender.All)
                {
                    var bar = bars.AddTask($"{workload.Name}, {contender.Name}", maxValue: workload.Tasks.Count);
                    heats.Add(await run.RunAsync(workload, contender, () => bar.Increment(1)));
                }
            }
        });
        return heats;
    }
}
