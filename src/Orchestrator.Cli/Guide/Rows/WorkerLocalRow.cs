using Orchestrator.Client;
using Orchestrator.Handlers;
using Orchestrator.Worker;

namespace Orchestrator.Cli.Guide.Rows;

internal sealed class WorkerLocalRow() : GuideRow("worker-local", "4.5", "what is a worker's own: thread-local storage, for processes")
{
    public override void MapHandlers(ITaskMap map) => map.MapTask("guide_visit", TaskKind.Cpu, (WorkInput input, TaskContext context, CancellationToken ct) =>
    {
        // Made when the first task of this process asks for it, and kept for the next: a model, a connection, a cache.
        var mine = context.GetLocal(() => new Visits(Guid.NewGuid().ToString("N")[..6]));
        NumericHandlers.MonteCarloPi(new SamplesInput(input.Samples), ct);
        return new Visit(mine.Id, Interlocked.Increment(ref mine.Count), context.WorkerName);
    });

    public override async Task RunAsync(GuideContext guide)
    {
        guide.Say("Twenty tasks ask for the worker's own object, and count their visits in it.");
        var visits = await guide.Pool.MapAsync<WorkInput, Visit>(
            "guide_visit", Enumerable.Repeat(new WorkInput(500_000), 20), cancellationToken: guide.Token).ToArrayAsync(guide.Token);
        var byWorker = visits.GroupBy(visit => visit.Worker).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        foreach (var worker in byWorker)
            guide.Say($"{worker.Key}: object {worker.First().Object}, visits {GuideContext.List(worker.Select(visit => visit.Number))}");
        guide.Shows("several workers took part", byWorker.Length > 1);
        guide.Shows("each has one object, which is no other's",
            byWorker.All(worker => worker.DistinctBy(visit => visit.Object).Count() == 1) && visits.DistinctBy(visit => visit.Object).Count() == byWorker.Length);
        guide.Shows("each counts its own visits without a gap: it lives from task to task",
            byWorker.All(worker => worker.Select(visit => visit.Number).Order().SequenceEqual(Enumerable.Range(1, worker.Count()))));
    }

    private sealed class Visits(string id)
    {
        public int Count;

        public string Id => id;
    }

    private sealed record Visit(string Object, int Number, string Worker);
}
