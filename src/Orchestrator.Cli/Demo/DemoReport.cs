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
                Describe.Time(heat.Elapsed),
                Describe.Rate(heat.PerSecond),
                Describe.Number(SpeedUp(heats, heat)) + " ×",
            ]));
        var gains = heats.Where(heat => heat.Contender.Placement == Placement.WorkerProcess)
            .Select(heat => $"{heat.Workload.Name} {Describe.Number(SpeedUp(heats, heat))} ×");
        terminal.Line(
            $"Conclusion: {workers} worker processes run {string.Join(", ", gains)} as fast as one task after the other,");
        terminal.Line("and one that crashes or is killed takes no other with it.");
    }

    private static double SpeedUp(IReadOnlyList<Heat> heats, Heat heat) =>
        heats.Single(other => other.Workload == heat.Workload && other.Contender.Placement == Placement.InProcessSequential).Elapsed / heat.Elapsed;
}
