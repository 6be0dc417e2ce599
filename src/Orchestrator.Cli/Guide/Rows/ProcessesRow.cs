using Orchestrator.Client.Tasks;
using Orchestrator.Handlers.Common;
using Orchestrator.Handlers.Cpu;
using Orchestrator.Worker.Tasks;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class ProcessesRow() : GuideRow("processes", "5.1–5.2", "a pool of processes, and their pids")
{
    public override void MapHandlers(ITaskMap map) =>
        map.MapTask("guide_square", (SquareInput input, TaskContext context) =>
    {
        NumericHandlers.MonteCarloPi(new SamplesInput(input.Samples), context.CancellationToken);
        return new Square((long)input.N * input.N, Environment.ProcessId, context.WorkerName);
    });

    public override async Task RunAsync(GuideContext guide)
    {
        var workers = (await guide.Client.Contract.GetStatusAsync(guide.Token)).Workers;
        guide.Say($"This is process {Environment.ProcessId}. It has started " +
            $"{GuideContext.List(workers.Select(worker => $"{worker.Name} (process {worker.Pid})"))}.");
        var squares = await guide.Pool.MapAsync<SquareInput, Square>(
            "guide_square", Enumerable.Range(0, 20).Select(n => new SquareInput(n, 500_000)), cancellationToken: guide.Token)
                .ToArrayAsync(guide.Token);
        guide.Say($"pool.map(square, range(20)): {GuideContext.List(squares.Select(square => square.Value))}");
        foreach (var group in squares.GroupBy(square => square.Worker).OrderBy(group => group.Key, StringComparer.Ordinal))
            guide.Say($"  {group.Count()} of them in {group.Key}, process {group.First().Pid}");
        guide.Shows("the squares are right and in their order", squares.Select(square => square.Value).SequenceEqual(
            Enumerable.Range(0, 20).Select(n => (long)n * n)));
        guide.Shows("none was computed in this process", squares.All(square => square.Pid != Environment.ProcessId));
        guide.Shows("every pid is a worker's, and more than one worker took part",
            squares.All(square => workers.Any(worker => worker.Pid == square.Pid)) && squares.DistinctBy(square => square.Pid).Count() > 1);
    }

    private sealed record SquareInput(int N, long Samples);

    private sealed record Square(long Value, int Pid, string Worker);
}
