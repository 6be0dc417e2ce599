using Orchestrator.Cli.Output;
using Orchestrator.V1;

namespace Orchestrator.Cli.Demo;

/// <summary>The demo's table and its conclusion.</summary>
internal static class DemoReport
{
    public static void Write(Terminal terminal, IReadOnlyList<Heat> heats, int workers)
    {
        terminal.WriteGrid(
            [new("tasks"), new("run"), new("total time", true), new("tasks/s", true), new("speed-up", true)],
            heats.Select((heat, i) => (string[])
            [
                i == 0 || heats[i - 1].Workload != heat.Workload ? $"{heat.Workload.Tasks.Count} × {heat.Workload.Name}" : "",
                heat.Contender.Name,
                Format.Time(heat.Elapsed),
                Format.Rate(heat.PerSecond),
                Format.Number(SpeedUp(heats, heat)) + " ×",
            ]));
        var gains = heats.Where(heat => heat.Contender.Placement == Placement.WorkerProcess)
            .Select(heat => $"{Format.Number(SpeedUp(heats, heat))} × ({heat.Workload.Name})");
        terminal.Line($"Conclusion: against sequential execution, {workers} worker processes gain");
        terminal.Line($"{string.Join(", ", gains)}.");
        terminal.Line("A crash ends only the tasks of one of them.");
        terminal.Line("");
        terminal.Line("While a coordinator runs, 'orchestrator page' prints the address of its page, which shows all of this live.");
        // Each worker has its own core, unless other programs run on it.
        var worst = heats.First(heat => heat.Contender.Placement == Placement.WorkerProcess);
        if (Math.Min(workers, Environment.ProcessorCount) is > 1 and var cores && SpeedUp(heats, worst) < 0.75 * cores)
            terminal.Note($"CPU-bound tasks should gain about {cores} × here: this machine was busy with something else.");
    }

    private static double SpeedUp(IReadOnlyList<Heat> heats, Heat heat) =>
        heats.Single(
            other => other.Workload == heat.Workload && other.Contender.Placement == Placement.InProcessSequential).Elapsed / heat.Elapsed;
}
